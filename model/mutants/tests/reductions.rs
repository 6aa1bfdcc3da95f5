//! No reduction of the engine `sections` hides a seeded bug of the kernel.

use std::sync::LazyLock;
use std::{env, fs, panic};
use whendone_model::check::check;
use whendone_model::engines::Play;
use whendone_model::engines::sections::clients::{Difference, Key};
use whendone_model::engines::sections::explore::plainly;
use whendone_model::engines::sections::spread::Spread;
use whendone_model::project::copy::project;
use whendone_model::scenario::Scenario;
use whendone_model::universe::smallest;
use whendone_mutants::table::{Mutant, Table};
use whendone_mutants::{KERNELS, PLANTED, smallest_client, told};

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
fn a_program_that_is_spread_shows_a_bug_as_one_thread_does() {
    let (mut noticed, mut compared) = (0, 0);
    let programs: Vec<_> = smallest().into_iter().filter(|program| program.scheduler.is_none()).collect();
    for bug in &*BUGS {
        let (_, play) = PLANTED.iter().find(|(id, _)| *id == &*bug.id).expect("it is planted");
        let mut is_noticed = false;
        for (at, program) in programs.iter().enumerate() {
            let known = play(program);
            let spread = Spread { workers: 2 + at % 3, alone: 1 }.play(*play, program);
            assert_eq!(spread, known, "{} by {program}", bug.id);
            is_noticed |= !check(program, true, &spread).is_good();
            compared += usize::from(known.executions > 1);
        }
        noticed += usize::from(is_noticed);
    }
    println!("{compared} programs with more than one execution");
    assert!(noticed == 29 && compared > 10_000, "{noticed} bugs are noticed, {compared} programs were compared");
}

/// The lines of the page between these two.
const BEGIN: &str = "<!-- cargo test -p whendone-mutants --test reductions: smallest clients -->\n```text\n";
const END: &str = "```\n";

/// `WHENDONE_DOCS=rewrite` puts the present lines into the page.
#[test]
fn the_key_of_places_hides_no_bug_and_the_page_has_the_smallest_clients() {
    let (mut noticed, mut printed) = (0, format!("{:<50} calls and client\n", "seeded bug of the kernel"));
    for bug in &*BUGS {
        let [reduced, plain] =
            [Key::Places, Key::Operations].map(|key| smallest_client(&bug.id, key).expect("it is a bug of the kernel"));
        let calls = |client: &Option<Difference>| client.as_ref().map(Difference::calls);
        assert_eq!(calls(&reduced), calls(&plain), "{}", bug.id);
        printed += &format!("{:<50} {}\n", bug.id, told(reduced.as_ref()));
        noticed += usize::from(plain.is_some());
    }
    println!("{printed}");
    // The others need a longer history, or a print.
    assert_eq!((noticed, BUGS.len()), (35, 37));
    let path = project().join("docs/VERIFICATION.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the lines have a place");
    let (lines, after) = rest.split_once(END).expect("the lines end");
    if env::var_os("WHENDONE_DOCS").is_some_and(|wish| wish == "rewrite") {
        fs::write(&path, [before, BEGIN, &printed, END, after].concat()).expect("writable");
    } else {
        assert_eq!(lines, printed, "docs/VERIFICATION.md");
    }
}
