//! The audit of somebody else's run: its journal is complete and unaltered, and programs drawn from it at random have the
//! recorded verdicts when they are played again.
//!
//! The journal is the checkpoint of a run. The root of a Merkle tree over its verdicts (Merkle, *A digital signature based
//! on a conventional encryption function*, 1987) stands in the report of that run, so that neither can be changed alone.

use super::explore::Run;
use super::plan::Plan;
use crate::check::Verdict;
use crate::runner::workers::{Job, work};
use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

/// The verdicts of a run, by the place of the program in the plan.
pub type Verdicts = BTreeMap<usize, Verdict>;

/// The recorded content of a verdict, without the time that it took and without a drawing.
fn content(verdict: &Verdict) -> Value {
    let mut content = serde_json::to_value(verdict).unwrap_or_default();
    if let Value::Object(fields) = &mut content {
        fields.retain(|name, _| !["seconds", "counterexample"].contains(&name.as_str()));
    }
    content
}

/// The root of the Merkle tree over the verdicts, in the order of their places. Leaves and nodes are hashed apart, so that no
/// node can pass for a leaf.
pub fn root(verdicts: &Verdicts) -> String {
    let leaf = |(at, verdict): (&usize, &Verdict)| Sha256::digest(format!("leaf {at} {}", content(verdict)));
    root_of(verdicts.iter().map(leaf).map(|leaf| leaf.to_vec()).collect())
}

/// The root over other roots, such as those of all shards.
pub fn root_of_roots<'a>(roots: impl IntoIterator<Item = &'a str>) -> String {
    root_of(roots.into_iter().map(|root| Sha256::digest(format!("root {root}")).to_vec()).collect())
}

fn root_of(mut level: Vec<Vec<u8>>) -> String {
    while level.len() > 1 {
        let node = |pair: &[Vec<u8>]| match pair {
            [left, right] => Sha256::digest([b"node ".as_slice(), left, right].concat()).to_vec(),
            alone => alone.concat(),
        };
        level = level.chunks(2).map(node).collect();
    }
    level.first().map_or_else(String::new, |root| HEXLOWER.encode(root))
}

/// The difference between the recorded verdict of a job and the one of playing it again.
pub fn difference(Job { engine, scenario, .. }: &Job, recorded: &Verdict, played: &Verdict) -> Option<String> {
    let [recorded, played] = [recorded, played].map(content);
    let told = || format!("{scenario} on {}\n    recorded  {recorded}\n    played    {played}", engine.name());
    (recorded != played).then(told)
}

/// Plays the programs at these places again. Returns the differences from their recorded verdicts.
///
/// # Errors
///
/// If a worker cannot be started.
pub fn replayed(run: &Run, plan: &Plan, verdicts: &Verdicts, places: &[usize]) -> io::Result<Vec<String>> {
    let jobs: Vec<&Job> = places.iter().map(|&at| &plan.jobs[at].1).collect();
    let differences = Mutex::new(Vec::new());
    work(&jobs, run.workers, run.limit, |at, answer: Result<Verdict, String>| {
        let played = answer.unwrap_or_else(Verdict::lost);
        differences.lock().expect("never poisoned").extend(difference(jobs[at], &verdicts[&places[at]], &played));
    })?;
    Ok(differences.into_inner().expect("never poisoned"))
}

#[cfg(test)]
mod tests {
    use super::{Verdicts, root};
    use crate::check::Verdict;

    #[test]
    fn the_root_changes_with_each_verdict_each_place_and_their_number() {
        let verdict = |executions| {
            let mut verdict = Verdict::default();
            verdict.executions = executions;
            verdict
        };
        let whole: Verdicts = (0..5).map(|at| (at, verdict(at as u64))).collect();
        let mut roots = vec![root(&whole)];
        for at in 0..5 {
            let (mut forged, mut shorter) = (whole.clone(), whole.clone());
            forged.insert(at, verdict(7));
            shorter.remove(&at);
            let moved = whole.iter().map(|(place, verdict)| (place + usize::from(*place >= at), verdict.clone()));
            roots.extend([root(&forged), root(&shorter), root(&moved.collect())]);
        }
        let count = roots.len();
        roots.sort_unstable();
        roots.dedup();
        assert_eq!(roots.len(), count, "two of them are equal");
    }

    #[test]
    fn the_time_that_a_verdict_took_does_not_count() {
        let mut verdicts = Verdicts::from([(3, Verdict::default())]);
        let before = root(&verdicts);
        verdicts.values_mut().for_each(|verdict| verdict.seconds = 2.0);
        assert_eq!(root(&verdicts), before);
    }
}
