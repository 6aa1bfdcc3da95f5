//! Every peer gives right answers in every scenario that it can do.

use whendone_bench::meter::{Meter, Plan};
use whendone_bench::peers::PEERS;
use whendone_bench::scenarios::{ROWS, Row, Scenario};

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
    assert!(answered > ROWS.len() * PEERS.len() / 2, "{answered}");
}

#[test]
fn whendone_can_do_every_scenario() {
    for peer in PEERS.iter().filter(|peer| peer.name.starts_with("whendone")) {
        assert!(ROWS.iter().all(|row| row.of(peer).is_some()), "{}", peer.name);
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
