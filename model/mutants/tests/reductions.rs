//! No reduction of the engine `sections` hides a seeded bug of the kernel.

use std::panic;
use std::sync::LazyLock;
use whendone_model::check::check;
use whendone_model::engines::Play;
use whendone_model::engines::sections::clients::{Choice, Difference, Key, LockStep, explore};
use whendone_model::engines::sections::explore::plainly;
use whendone_model::project::copy::project;
use whendone_model::scenario::Scenario;
use whendone_model::universe::smallest;
use whendone_mutants::table::{Mutant, Table};
use whendone_mutants::{KERNELS, PLANTED};

/// The bugs of the kernel that do not end the process.
static BUGS: LazyLock<Vec<Mutant>> = LazyLock::new(|| {
    panic::set_hook(Box::new(|_| ()));
    let table = Table::read(&Table::path(&project())).expect("the table is there");
    let mutants = table.mutants.into_iter();
    mutants.filter(|bug| KERNELS.iter().any(|(id, _)| *id == &*bug.id) && !bug.is_of_last_words()).collect()
});

/// Programs that show a bug, out of those of 2 threads with 1 operation each.
fn broken(play: Play) -> Vec<String> {
    let is_broken = |program: &Scenario| !check(program, true, &play(program)).is_good();
    smallest()
        .iter()
        .filter(|program| program.scheduler.is_none() && is_broken(program))
        .map(ToString::to_string)
        .collect()
}

#[test]
fn sleep_sets_hide_no_bug() {
    let mut noticed = 0;
    for bug in &*BUGS {
        let (_, play) = PLANTED.iter().find(|(id, _)| *id == &*bug.id).expect("it is planted");
        let (reduced, plain) = (broken(*play), plainly(|| broken(*play)));
        println!("{:<50} {:>4} {:>4}", bug.id, reduced.len(), plain.len());
        assert_eq!(reduced, plain, "{}", bug.id);
        noticed += usize::from(!plain.is_empty());
    }
    // The others need more operations, or the task layer.
    assert_eq!((noticed, BUGS.len()), (29, 37));
}

#[test]
fn the_key_of_places_hides_no_bug() {
    let mut noticed = 0;
    for bug in &*BUGS {
        let (_, lock_step) = KERNELS.iter().find(|(id, _)| *id == &*bug.id).expect("it is planted");
        let [reduced, plain] = [Key::Places, Key::Operations].map(|key| first(*lock_step, key));
        println!("{:<50} {reduced:?} {plain:?}", bug.id);
        assert_eq!(reduced, plain, "{}", bug.id);
        noticed += usize::from(plain.is_some());
    }
    // The others need a longer history, or a print.
    assert_eq!((noticed, BUGS.len()), (35, 37));
}

/// The number of calls of the smallest client that shows a bug.
fn first(lock_step: LockStep, key: Key) -> Option<usize> {
    let Difference { path, .. } = explore(4, key, lock_step).err()?;
    Some(path.iter().filter(|choice| matches!(choice, Choice::Begin(_))).count())
}
