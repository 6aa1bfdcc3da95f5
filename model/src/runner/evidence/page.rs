//! The report as one page in HTML, which needs no network and no scripts.

use super::{Evidence, Kind};
use crate::engines::catalog::Engine;
use crate::project::page::fill;
use crate::protocol::phase::Answer;
use crate::protocol::phase::table::TRANSITIONS;
use crate::runner::count::Count;
use crate::runner::part::Part;
use crate::runner::report::Report;
use crate::universe::Tier;
use minijinja::{Environment, context};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const TEMPLATE: &str = include_str!("report.html");

/// The page.
///
/// # Errors
///
/// If the template cannot be filled in.
pub fn page(evidence: &Evidence) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.add_filter("short", |text: String| text.chars().take(12).collect::<String>());
    environment.add_filter("thousands", thousands);
    let Evidence { now, parts, findings, checked } = evidence;
    let of_kind = |kind: Kind| findings.iter().filter(|finding| finding.kind == kind).count();
    let lines: Vec<Line> = parts.values().map(|part| Line::new(part, &now.sources)).collect();
    let runs: Vec<Run> = parts.values().filter_map(Run::new).collect();
    let figures = |name: &str| parts.get(name).map(|part| &part.figures);
    let values = context! {
        green => evidence.is_green(), now, findings, lines, runs, checked => checked.len(),
        missing => of_kind(Kind::Missing), stale => of_kind(Kind::Stale), red => of_kind(Kind::Red),
        phases => phases(), kills => figures("mutants").map(Kills::new),
        goals => figures("benches").map(distances),
        proof => figures("proof"), spots => figures("blind-spots").map(|figures| &figures["spots"]),
    };
    fill(environment, TEMPLATE, values)
}

/// `1234567` as `1 234 567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(|group| String::from_utf8_lossy(group).into_owned()).collect::<Vec<_>>().join("\u{202f}")
}

/// A line of the table of parts.
#[derive(Serialize)]
struct Line<'a> {
    part: &'a Part,
    command: String,
    is_stale: bool,
}

impl<'a> Line<'a> {
    fn new(part: &'a Part, sources: &str) -> Self {
        Line { part, command: part.command_line(), is_stale: part.provenance.sources != sources }
    }
}

/// A run over the closed world, as a chart.
#[derive(Serialize)]
struct Run {
    name: String,
    executions: u64,
    engines: Vec<(&'static str, Vec<Bar>)>,
    slowest: Vec<(String, &'static str, f64)>,
}

/// A tier under an engine. The width is that of the logarithm, in percent of the longest bar.
#[derive(Serialize)]
struct Bar {
    tier: &'static str,
    programs: usize,
    executions: u64,
    seconds: f64,
    width: f64,
    is_red: bool,
}

impl Run {
    fn new(part: &Part) -> Option<Self> {
        let report: Report = serde_json::from_value(part.figures.clone()).ok()?;
        let most = report.explored.values().flat_map(BTreeMap::values).map(|count| count.executions).max()?;
        let bar = |(tier, count): (&Tier, &Count)| Bar {
            tier: tier.describe(),
            programs: count.programs,
            executions: count.executions,
            seconds: count.seconds,
            width: 100.0 * ((count.executions + 1) as f64).ln() / ((most + 1) as f64).ln(),
            is_red: count.outcomes.extra + count.outcomes.missing + count.broken + count.cut > 0,
        };
        let engines =
            report.explored.iter().map(|(engine, tiers)| (engine.describe(), tiers.iter().map(bar).collect()));
        let slowest =
            report.slowest.iter().map(|slow| (slow.scenario.clone(), Engine::name(slow.engine), slow.seconds));
        Some(Run {
            name: part.name.clone(),
            executions: report.executions,
            engines: engines.collect(),
            slowest: slowest.collect(),
        })
    }
}

/// A figure with a goal, and its distance to it.
#[derive(Serialize)]
struct Distance {
    figure: String,
    who: String,
    against: String,
    goal: f64,
    measured: f64,
    is_met: bool,
    /// The figure as a multiple of its goal; none if the goal is zero.
    ratio: Option<f64>,
    /// The width in percent, if twice the goal is the whole.
    width: f64,
}

/// The figures of the benches that have a goal.
fn distances(figures: &Value) -> Vec<Distance> {
    let distance = |of: &Value| {
        let (goal, measured) = (of["goal"].as_f64()?, of["measured"].as_f64()?);
        let ratio = (goal > 0.0).then(|| measured / goal);
        let width = (50.0 * ratio.unwrap_or(2.0 * f64::from(u8::from(measured > 0.0)))).min(100.0);
        let text = |name: &str| of[name].as_str().unwrap_or_default().to_owned();
        let (figure, who, against) = (text("figure"), text("who"), text("against"));
        Some(Distance { figure, who, against, goal, measured, is_met: of["is_met"].as_bool()?, ratio, width })
    };
    figures["left"]["goals"].as_array().into_iter().flatten().filter_map(distance).collect()
}

/// For each pair of phases, such as `PendingDraining`, the events that lead from one to the other, refusals left out.
fn phases() -> BTreeMap<String, String> {
    let mut arrows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (from, event, _, to) in TRANSITIONS.iter().filter(|(_, _, answer, _)| *answer != Answer::Refused) {
        arrows.entry(format!("{from:?}{to:?}")).or_default().push(format!("{event:?}"));
    }
    arrows.into_iter().map(|(arrow, events)| (arrow, events.join(", "))).collect()
}

/// The matrix of properties and checks: the number of seeded bugs that break the property and that the check noticed.
#[derive(Serialize)]
struct Kills {
    checks: Vec<String>,
    rows: Vec<(String, Vec<usize>)>,
    /// Each bug, with the place among its kills of the first one by each check.
    bugs: Vec<(Value, Vec<Option<usize>>)>,
}

impl Kills {
    fn new(figures: &Value) -> Self {
        let mut rows: BTreeMap<(u64, String), BTreeMap<String, usize>> = BTreeMap::new();
        for bug in figures["bugs"].as_array().into_iter().flatten() {
            let breaks = bug["breaks"].as_str().unwrap_or_default().to_owned();
            let number = breaks.trim_start_matches('P').parse().unwrap_or(u64::MAX);
            let row = rows.entry((number, breaks)).or_default();
            let by = bug["kills"].as_array().into_iter().flatten().filter_map(|kill| kill["by"].as_str());
            by.collect::<BTreeSet<_>>().into_iter().for_each(|by| *row.entry(by.to_owned()).or_default() += 1);
        }
        let checks: BTreeSet<String> = rows.values().flat_map(BTreeMap::keys).cloned().collect();
        let cells = |row: &BTreeMap<String, usize>| checks.iter().map(|by| row.get(by).copied().unwrap_or(0)).collect();
        let rows = rows.iter().map(|((_, breaks), row)| (breaks.clone(), cells(row))).collect();
        let killed = |bug: &Value| -> Vec<Option<usize>> {
            let kills = bug["kills"].as_array().map_or(&[][..], Vec::as_slice);
            checks.iter().map(|by| kills.iter().position(|kill| kill["by"] == **by)).collect()
        };
        let bugs = figures["bugs"].as_array().into_iter().flatten().map(|bug| (bug.clone(), killed(bug))).collect();
        Kills { rows, bugs, checks: checks.into_iter().collect() }
    }
}
