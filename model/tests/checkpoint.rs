//! An interrupted deep run goes on where it was, and its shards are merged only if they are of one run.

use std::fs;
use std::path::PathBuf;
use whendone_model::engines::catalog::Engine;
use whendone_model::runner::checkpoint::Checkpoint;
use whendone_model::runner::merge::merge;
use whendone_model::runner::plan::{Plan, Shard};
use whendone_model::runner::report::Report;
use whendone_model::runner::tally::Tally;

const HALF: Shard = Shard { index: 1, of: 2 };

/// A place for one test's journal.
fn place(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("whendone-{name}-{}.journal", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}

fn refusal(path: &std::path::Path, shard: Shard) -> String {
    Checkpoint::open(path, shard, false).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_run_resumes_after_its_last_whole_line_and_drops_a_cut_one() {
    let path = place("cut");
    let verdict = Engine::LoomMutex.check(&"; C | A".parse().expect("well formed"));
    let journal = Checkpoint::open(&path, HALF, false).expect("it begins");
    [3, 5].into_iter().for_each(|at| journal.write(at, &verdict).expect("writable"));
    drop(journal);
    let whole = fs::read_to_string(&path).expect("readable");
    fs::write(&path, &whole[..whole.len() - 9]).expect("writable");
    let again = Checkpoint::open(&path, HALF, false).expect("it goes on");
    assert_eq!(again.done.keys().collect::<Vec<_>>(), [&3]);
    assert_eq!(again.done[&3].executions, verdict.executions);
    again.write(5, &verdict).expect("writable");
    assert_eq!(fs::read_to_string(&path).expect("readable"), whole, "the cut line is gone, and comes anew");
    assert!(Checkpoint::open(&path, HALF, true).expect("it begins anew").done.is_empty());
    fs::remove_file(path).expect("it is there");
}

#[test]
fn a_journal_of_another_run_is_refused_and_kept() {
    let path = place("refused");
    drop(Checkpoint::open(&path, HALF, false).expect("it begins"));
    assert!(refusal(&path, Shard { index: 2, of: 2 }).contains("--fresh begins anew"));
    let whole = fs::read_to_string(&path).expect("readable");
    fs::write(&path, format!("{whole}no line\n")).expect("writable");
    assert!(refusal(&path, HALF).contains("a line is damaged; --fresh begins anew"));
    fs::write(&path, "my notes\n").expect("writable");
    assert!(refusal(&path, HALF).contains("this is no journal; --fresh begins anew"));
    assert_eq!(fs::read_to_string(&path).expect("readable"), "my notes\n");
    fs::remove_file(path).expect("it is there");
}

/// A report of that shard, of nothing.
fn report(index: usize, of: usize) -> (String, Report) {
    let shard = Shard { index, of };
    let report = Tally::default().report(&Plan::crowds(0..0), None, 1, 1.0);
    (format!("{index}.json"), Report { shard: Some(shard), ..report })
}

#[test]
fn shards_are_merged_if_they_are_all_there_and_of_one_run() {
    let refused = |reports| merge(reports).err().unwrap_or_default();
    let other = |change: fn(&mut Report)| {
        let (name, mut report) = report(2, 2);
        change(&mut report);
        (name, report)
    };
    assert!(refused(vec![]).contains("nothing to merge"));
    assert!(refused(vec![report(1, 2)]).contains("shards are missing: 2/2"));
    assert!(refused(vec![report(1, 2), report(1, 2)]).contains("which is there already"));
    assert!(refused(vec![report(1, 2), report(2, 3)]).contains("2.json is shard 2/3, and 1.json is one of 2"));
    assert!(refused(vec![report(1, 2), other(|report| report.shard = None)]).contains("no report of a shard"));
    let different = "are of different cores, engines or players";
    assert!(refused(vec![report(1, 2), other(|report| report.core.sha256.clear())]).contains(different));
    assert!(refused(vec![report(1, 2), other(|report| report.sources.clear())]).contains(different));
    assert!(refused(vec![report(1, 2), report(2, 2)]).contains("together they have 0 programs, not "));
}
