//! Prints the result for a bug: which check noticed it, on which program, and whether the table expects that.

use super::copy::COPY;
use super::play::{Check, Kill, RACE, control};
use super::search::{Searched, is_crash_of, shows};
use serde::Serialize;
use whendone_mutants::table::Mutant;

/// The words about a bug that does not compile.
const UNBUILT: &str = "does not compile";

/// The result for a bug as data.
#[derive(Serialize)]
pub struct Told {
    pub id: String,
    breaks: String,
    pub end: End,
    pub kills: Vec<Kill>,
    /// The smallest client of the kernel that shows it, after the number of its calls; a dash if none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
}

impl Told {
    /// Prints the result, and keeps it.
    pub fn new(mutant: &Mutant, found: &[Searched], all: bool) -> Self {
        let end = tell(mutant, found, all);
        let client = found.iter().find_map(|(_, searched)| searched.as_ref().ok()?.client.clone());
        client.iter().for_each(|client| below(&format!("smallest client: {client}")));
        let kills = found.iter().filter_map(|(_, searched)| searched.as_ref().ok()?.kill.clone()).collect();
        Told { id: mutant.id.to_string(), breaks: mutant.breaks.clone(), end, kills, client }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    Killed,
    /// Not noticed, as argued in the table.
    Argued,
    #[serde(rename = "survived")]
    Wrong,
}

/// Prints the result for a bug; with `all`, also the checks that are needed to notice it.
fn tell(mutant: &Mutant, found: &[Searched], all: bool) -> End {
    let kills = found.iter().filter_map(|(_, searched)| searched.as_ref().ok()?.kill.as_ref());
    let lost: Vec<_> = found.iter().filter_map(|(ground, kill)| Some((ground, kill.as_ref().err()?))).collect();
    let (races, others): (Vec<&Kill>, Vec<&Kill>) = kills.partition(|kill| kill.by == RACE);
    for kill in &others {
        line(mutant, &format!("{:<10} {:>7.1}  {}", kill.by, kill.seconds, kill.program));
        below(&kill.evidence);
    }
    for (ground, error) in lost.iter().filter(|(ground, error)| is_crash_of(mutant, ground, error)) {
        line(mutant, &format!("{:<18}  {ground}", "crash"));
        below(error);
    }
    let shown: Vec<_> = found.iter().filter(|searched| shows(mutant, searched)).map(|(ground, _)| ground).collect();
    let end = match (&mutant.equivalent, &mutant.killer, &shown[..]) {
        (Some(argument), _, []) => {
            line(mutant, &format!("NOT NOTICED, as is argued: {argument}"));
            End::Argued
        }
        (Some(_), ..) => {
            below("is noticed, so the argument that it cannot be is wrong");
            End::Wrong
        }
        (None, _, []) => {
            let is_built = !lost.iter().any(|(_, error)| error.contains(UNBUILT));
            line(mutant, &format!("{}   {}", if is_built { "SURVIVED" } else { "NOT BUILT" }, mutant.why));
            lost.iter().for_each(|(ground, error)| below(&format!("{ground}: {error}")));
            let recounts = found.iter().filter_map(|(_, searched)| searched.as_ref().ok()?.recount.as_ref());
            recounts.take(1).for_each(|recount| below(recount));
            if mutant.is_played() {
                let checks: Vec<String> = Check::all(mutant.is_of_the_loop()).iter().map(Check::to_string).collect();
                let suites =
                    if found.iter().any(|(ground, _)| ground == COPY) { ", and by the suites of `src`" } else { "" };
                below(&format!("looked for in {}{suites}; no other test was run", checks.join(", ")));
            }
            End::Wrong
        }
        (None, Some(killer), [first, ..]) if !shown.iter().any(|ground| ***ground == **killer) => {
            below(&format!("not where the table expects it: `{killer}`; found by {first}"));
            End::Wrong
        }
        _ => End::Killed,
    };
    if all && mutant.is_played() {
        tell_who_is_needed(&others, &races, &lost);
    }
    let played = others.iter().chain(&races).filter(|kill| kill.by != COPY);
    let reds: Vec<String> = played.filter_map(|kill| control(&kill.program)).collect();
    reds.iter().for_each(|red| below(red));
    if reds.is_empty() { end } else { End::Wrong }
}

fn line(mutant: &Mutant, told: &str) {
    println!("{:<34} {:<5} {told}", mutant.id, mutant.breaks);
}

fn below(told: &str) {
    println!("{:>60}  {told}", "");
}

/// Prints whether a single check, or a single named race, notices the bug, among those that came to an end.
fn tell_who_is_needed(checks: &[&Kill], races: &[&Kill], lost: &[(&String, &String)]) {
    let of_those = if lost.is_empty() { "" } else { ", of those that came to an end" };
    if let [only] = checks {
        below(&format!("only {} notices it{of_those}", only.by));
    }
    match races {
        [only] => below(&format!("of the named races only `{}` notices it{of_those}", only.program)),
        races => below(&format!("{} of the named races notice it", races.len())),
    }
    lost.iter().for_each(|(check, error)| below(&format!("{check}: {error}")));
}
