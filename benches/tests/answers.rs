//! Every peer gives right answers in every scenario that it can do.

use std::future::Future;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use whendone_bench::awaits::awaits;
use whendone_bench::check::Check;
use whendone_bench::meter::{Meter, Plan, Sample};
use whendone_bench::peers::{Awaits, Peer, Removes, Value};
use whendone_bench::registry::{Entry, PEERS, find};
use whendone_bench::removals::removals;
use whendone_bench::rows::{ROWS, Row, Scenario};
use whendone_bench::scenarios::callbacks;

/// The checks are in the scenarios themselves: a wrong answer panics.
#[test]
fn every_peer_answers_right_in_every_scenario() {
    let mut answered = 0;
    for row in ROWS {
        let row = Row { n: row.n.min(16), ..row };
        for peer in &PEERS {
            let Some(run) = row.of(peer) else { continue };
            let mut meter = Meter::new(Plan::Batches(1));
            run(&mut meter, row.n);
            assert!(meter.sample().operations > 0, "{row} of {}", peer.name);
            answered += 1;
        }
    }
    assert!(answered > ROWS.len() * PEERS.len() / 3, "{answered}");
}

#[test]
fn whendone_can_do_every_scenario_that_is_no_floor() {
    for row in ROWS.iter().filter(|row| !(Scenario::Atomic..=Scenario::Box).contains(&row.scenario)) {
        assert!(PEERS.iter().any(|peer| peer.is_ours() && row.of(peer).is_some()), "{row}");
    }
}

#[test]
fn a_join_handle_takes_one_callback() {
    let peer = PEERS.iter().find(|peer| peer.only_one).expect("there is one");
    let takes = |n| Row { scenario: Scenario::S1, n }.of(peer).is_some();
    assert!(takes(1) && !takes(8));
}

#[test]
#[should_panic = "2 of 1 callbacks ran"]
fn a_callback_that_runs_twice_is_noticed() {
    let log = whendone_bench::check::Log::leak();
    for _ in 0..2 {
        log.check(0).run(whendone_bench::check::VALUE);
    }
    log.settle(1);
}

/// A peer that is right, or removes nothing, or runs nothing.
struct Faulty<const REMOVES: bool, const IDLES: bool>;

impl<const REMOVES: bool, const IDLES: bool> Peer for Faulty<REMOVES, IDLES> {
    type Task = Vec<Option<Check>>;
    type Completer = ();
    type Id = usize;

    fn new() -> Self {
        Faulty
    }

    fn task(&mut self) -> ((), Self::Task) {
        ((), vec![])
    }

    fn add(&mut self, task: &mut Self::Task, check: Check) -> usize {
        task.push(Some(check));
        task.len() - 1
    }

    fn complete((): (), task: &mut Self::Task, value: u64) {
        task.iter().flatten().filter(|_| !IDLES).for_each(|check| check.run(value));
    }
}

impl<const REMOVES: bool, const IDLES: bool> Removes for Faulty<REMOVES, IDLES> {
    fn remove(&mut self, task: &mut Self::Task, id: usize) {
        task[id].take_if(|_| REMOVES);
    }
}

fn passes<P: Removes>(scenario: Scenario) -> bool {
    let peer = Entry::new("faulty", &[callbacks::<P>, removals::<P>]);
    let run = Row { scenario, n: 16 }.of(&peer).expect("it can");
    catch_unwind(|| run(&mut Meter::new(Plan::Batches(1)), 16)).is_ok()
}

#[test]
fn a_callback_that_runs_after_its_removal_or_never_is_noticed() {
    use Scenario::*;
    for scenario in [S3, S4, S4Remove, S4First, S4Compact] {
        assert!(passes::<Faulty<true, false>>(scenario), "{scenario:?}");
        assert!(!passes::<Faulty<false, false>>(scenario), "{scenario:?}");
    }
    for scenario in [S1, S3, S4First, Add, Complete] {
        assert!(!passes::<Faulty<true, true>>(scenario), "{scenario:?}");
    }
}

/// Awaits that are woken, or not.
struct Alarm<const WAKES: bool>;

struct Slept(Arc<Mutex<Option<Waker>>>);

impl Future for Slept {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        *self.0.lock().unwrap() = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<const WAKES: bool> Awaits for Alarm<WAKES> {
    type Task = Arc<Mutex<Option<Waker>>>;
    type Completer = ();
    type Wait = Slept;

    fn task() -> ((), Self::Task) {
        ((), Arc::default())
    }

    fn wait(task: &Self::Task) -> Slept {
        Slept(task.clone())
    }

    fn complete((): (), task: &Self::Task, _: Value) {
        task.lock().unwrap().take().filter(|_| WAKES).into_iter().for_each(Waker::wake);
    }
}

#[test]
fn an_await_that_is_not_woken_is_noticed() {
    let passes = |peer: Entry, scenario| {
        let run = Row { scenario, n: 0 }.of(&peer).expect("it can");
        catch_unwind(|| run(&mut Meter::new(Plan::Batches(1)), 0)).is_ok()
    };
    let (woken, silent) =
        (|| Entry::new("woken", &[awaits::<Alarm<true>>]), || Entry::new("silent", &[awaits::<Alarm<false>>]));
    for scenario in [Scenario::AwaitFirst, Scenario::AwaitAgain, Scenario::AwaitDrop] {
        assert!(passes(woken(), scenario) && passes(silent(), scenario), "{scenario:?}");
    }
    assert!(passes(woken(), Scenario::AwaitWake) && !passes(silent(), Scenario::AwaitWake));
}

fn sample(peer: &Entry, scenario: Scenario, n: u64) -> Sample {
    let run = Row { scenario, n }.of(peer).expect("it can");
    let mut meter = Meter::new(Plan::Batches(1));
    run(&mut meter, n);
    meter.sample()
}

/// No heap is counted here, so handles are all that is left: of the core one, of a task two.
#[test]
fn the_weight_of_a_task_includes_its_handles() {
    for (name, handles) in [("whendone-core", 8), ("whendone-task", 16), ("mutex-vec", 8)] {
        let peer = find(name).expect("a peer");
        assert_eq!(sample(peer, Scenario::S1, 1).bytes, handles, "{name}");
        assert_eq!(sample(peer, Scenario::S5, 0).bytes, handles, "{name}");
    }
}

#[test]
fn a_batch_completes_as_many_tasks_for_every_peer() {
    for (n, operations) in [(0, 1024), (64, 16)] {
        let row = Row { scenario: Scenario::Complete, n };
        let able: Vec<_> = PEERS.iter().filter(|peer| row.of(peer).is_some()).collect();
        assert!(able.len() > 8, "{row}");
        for peer in able {
            assert_eq!(sample(peer, Scenario::Complete, n).operations, operations, "{}", peer.name);
        }
    }
}
