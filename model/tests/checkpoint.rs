//! An interrupted deep run is resumed, and shards are merged only if they are from one run.

use std::fs;
use std::path::PathBuf;
use whendone_model::check::Verdict;
use whendone_model::engines::catalog::Engine;
use whendone_model::runner::audit::{Verdicts, difference, root};
use whendone_model::runner::checkpoint::{Checkpoint, of_another_run};
use whendone_model::runner::merge::merge;
use whendone_model::runner::plan::Plan;
use whendone_model::runner::report::Report;
use whendone_model::runner::shard::Shard;
use whendone_model::runner::tally::Tally;
use whendone_model::runner::workers::Job;

const HALF: Shard = Shard { index: 1, of: 2, ..Shard::WHOLE };

/// A path for the checkpoint of one test.
fn place(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("whendone-{name}-{}.checkpoint", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}

fn refusal(path: &std::path::Path, shard: Shard) -> String {
    Checkpoint::open(path, shard, false).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_run_is_resumed_after_the_last_whole_line() {
    let path = place("cut");
    let verdict = Engine::LoomMutex.check(&"; C | A".parse().expect("well formed"));
    let checkpoint = Checkpoint::open(&path, HALF, false).expect("it begins");
    [3, 5].into_iter().for_each(|at| checkpoint.write(at, &verdict).expect("writable"));
    drop(checkpoint);
    let whole = fs::read_to_string(&path).expect("readable");
    fs::write(&path, &whole[..whole.len() - 9]).expect("writable");
    let again = Checkpoint::open(&path, HALF, false).expect("it is resumed");
    assert_eq!(again.done.keys().collect::<Vec<_>>(), [&3]);
    assert_eq!(again.done[&3].executions, verdict.executions);
    again.write(5, &verdict).expect("writable");
    assert_eq!(fs::read_to_string(&path).expect("readable"), whole, "the truncated line is replaced");
    assert!(Checkpoint::open(&path, HALF, true).expect("it starts over").done.is_empty());
    fs::remove_file(path).expect("it is there");
}

#[test]
fn a_foreign_or_damaged_checkpoint_is_refused_and_kept() {
    let path = place("refused");
    drop(Checkpoint::open(&path, HALF, false).expect("it begins"));
    assert!(
        refusal(&path, Shard { index: 2, ..HALF })
            .contains("from another build, core, engine or shard; start over with --fresh")
    );
    let whole = fs::read_to_string(&path).expect("readable");
    fs::write(&path, format!("{whole}no line\n")).expect("writable");
    assert!(refusal(&path, HALF).contains("a line is damaged; start over with --fresh"));
    fs::write(&path, "my notes\n").expect("writable");
    assert!(refusal(&path, HALF).contains("this is not a checkpoint; start over with --fresh"));
    assert_eq!(fs::read_to_string(&path).expect("readable"), "my notes\n");
    fs::remove_file(path).expect("it is there");
}

/// An empty report of a shard.
fn report(index: usize, of: usize) -> (String, Report) {
    let shard = Shard { index, of, ..Shard::WHOLE };
    let report = Tally::default().report(&Plan::sampled(0..0), None, 1, 1.0);
    (format!("{index}.json"), Report { shard: Some(shard), ..report })
}

#[test]
fn shards_are_merged_if_all_are_there_and_from_one_run() {
    let refused = |reports| merge(reports, Shard::WHOLE).err().unwrap_or_default();
    let other = |change: fn(&mut Report)| {
        let (name, mut report) = report(2, 2);
        change(&mut report);
        (name, report)
    };
    assert!(refused(vec![]).contains("no reports to merge"));
    assert!(refused(vec![report(1, 2)]).contains("missing shards: 2/2"));
    assert!(refused(vec![report(1, 2), report(1, 2)]).contains("is shard 1/2, which another report is already"));
    assert!(refused(vec![report(1, 2), report(2, 3)]).contains("2.json is shard 2/3, but 1.json is one of 2 shards"));
    assert!(
        refused(vec![report(1, 2), other(|report| report.shard = None)])
            .contains("2.json is not the report of a shard")
    );
    let different = "are from different cores, engines or players";
    assert!(refused(vec![report(1, 2), other(|report| report.core.sha256.clear())]).contains(different));
    assert!(refused(vec![report(1, 2), other(|report| report.sources.clear())]).contains(different));
    assert!(refused(vec![report(1, 2), report(2, 2)]).contains("the reports cover 0 programs instead of "));
}

#[test]
fn an_audit_finds_a_forged_verdict_and_nothing_else() {
    let job = Job { engine: Engine::Sections, scenario: "a ; C | R0".to_owned(), draw: false };
    let [recorded, played] = [job.verdict(), job.verdict()].map(|verdict| verdict.expect("it is played"));
    assert_eq!(difference(&job, &recorded, &played), None);
    let mut forged = recorded.clone();
    forged.executions += 1;
    let told = difference(&job, &forged, &played).expect("one execution too many");
    assert!(told.starts_with("a ; C | R0 on sections\n    recorded  {"), "{told}");
    let root_with = |verdict: Verdict| root(&Verdicts::from([(0, recorded.clone()), (1, verdict)]));
    assert_eq!(root_with(recorded.clone()), root_with(played));
    assert_ne!(root_with(recorded.clone()), root_with(forged));
}

#[test]
fn a_journal_of_the_same_sources_is_read_whoever_wrote_it() {
    let path = place("journal");
    let checkpoint = Checkpoint::open(&path, HALF, false).expect("it begins");
    checkpoint.write(2, &Engine::Sections.check(&"; C | A".parse().expect("well formed"))).expect("writable");
    let whole = fs::read_to_string(&path).expect("readable");
    let read = |text: String| {
        fs::write(&path, text).expect("writable");
        of_another_run(&path).map(|(shard, verdicts)| (shard, verdicts.into_keys().collect::<Vec<_>>()))
    };
    let build = whole.split("\"build\":\"").nth(1).and_then(|rest| rest.get(..64)).expect("a digest");
    assert_eq!(read(whole.replace(build, "another machine's")), Ok((HALF, vec![2])));
    let refused = |text: String| read(text).expect_err("it is not trusted");
    assert!(refused(whole.replace("\"loom\":\"", "\"loom\":\"9")).contains("other engines; check out its sources"));
    assert!(refused(whole[..whole.len() - 9].to_owned()).contains("the last line is cut"));
    assert!(refused("my notes\n".to_owned()).contains("this is not a checkpoint"));
    fs::remove_file(path).expect("it is there");
}
