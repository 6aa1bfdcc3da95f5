//! The verdict on each part: is it there, is it of these sources, did it pass, and did it check all that it should?

use super::expected::{EXPECTED, Expected};
use super::{Checked, Kind};
use crate::check::blind_spots::BLIND_SPOTS;
use crate::check::fault::Fault;
use crate::engines::catalog::Engine;
use crate::project::copy::project;
use crate::project::table::Table;
use crate::runner::part::{Part, shard_of};
use crate::runner::report::Report;
use crate::universe::Tier;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

type Parts = BTreeMap<String, Part>;

/// Everything that must be green, with the findings. `sources` is the digest of the sources as they are now.
pub fn judge(parts: &Parts, sources: &str) -> Result<Vec<Checked>, String> {
    let mut checked = Vec::new();
    for Expected { name, what, command } in &EXPECTED {
        let is_there =
            parts.contains_key(*name) || *name == "deep" && parts.keys().any(|name| shard_of(name).is_some());
        if !is_there {
            let missing = Checked::green(name, "is there");
            checked.push(missing.with(Kind::Missing, format!("{what} ({name})"), Some((*command).to_owned())));
        }
    }
    checked.extend(shards(parts));
    for part in parts.values() {
        checked.extend(origin(part, sources));
        checked.extend(match part.name.as_str() {
            "verify" => closed_world(part, |tier| tier.everyday().to_vec()),
            "deep" => closed_world(part, Tier::deep),
            "mutants" => mutants(part)?,
            "proof" => ["protocol", "queue"].iter().map(|of| proof(part, of)).collect(),
            "blind-spots" => blind_spots(part),
            "benches" => vec![goals(part)],
            name if shard_of(name).is_some() => {
                report_of(part).map_or_else(|red| vec![red], |report| failures(part, &report))
            }
            _ => Vec::new(),
        });
    }
    Ok(checked)
}

/// The judgement that every part gets: on its sources, its exit code, and what it left out.
fn origin(part: &Part, sources: &str) -> Vec<Checked> {
    let (name, command) = (&part.name, part.command_line());
    let mut checked = vec![Checked::green(name, "is of these sources"), Checked::green(name, "passed")];
    if part.provenance.sources != sources {
        let digest = part.provenance.sources.get(..12).unwrap_or(&part.provenance.sources);
        let what = format!("{name} is of other sources, digest {digest}");
        checked[0] = checked[0].clone().with(Kind::Stale, what, Some(command.clone()));
    }
    match (part.exit, &part.error) {
        (0, None) => {}
        (exit, error) => {
            let why = error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
            checked[1] = Checked::red(name, "passed", format!("{name} ended with exit code {exit}{why}"));
        }
    }
    let skipped = part.skipped.iter().map(|skipped| {
        let missing = Checked::green(name, format!("includes {skipped}"));
        missing.with(Kind::Missing, format!("{name} left out {skipped}"), Some(command.clone()))
    });
    checked.extend(skipped);
    checked
}

/// The shards of the deep run, unless a merged report stands for them.
fn shards(parts: &Parts) -> Vec<Checked> {
    let mut groups: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (index, of) in parts.keys().filter_map(|name| shard_of(name)) {
        groups.entry(of).or_default().insert(index);
    }
    let is_merged = parts.get("deep").is_some_and(|part| part.exit == 0);
    // Of several divisions the one counts that lacks least.
    let Some((of, there)) = groups.iter().min_by_key(|(of, there)| of.saturating_sub(there.len())) else {
        return Vec::new();
    };
    let shard = |index: usize| {
        let checked = Checked::green("deep", format!("shard {index}/{of} is there"));
        match is_merged || there.contains(&index) {
            true => checked,
            false => checked.with(
                Kind::Missing,
                format!("shard {index}/{of} of the deep run"),
                Some(format!("cargo verify --deep --shard {index}/{of}")),
            ),
        }
    };
    (1..=*of).map(shard).collect()
}

fn report_of(part: &Part) -> Result<Report, Checked> {
    serde_json::from_value(part.figures.clone()).map_err(|error| {
        let what = format!("{} has no figures of a run: {error}", part.name);
        Checked::red(&part.name, "has figures", what)
    })
}

/// Every tier under each of its engines, whole and without a fault.
fn closed_world(part: &Part, engines: impl Fn(Tier) -> Vec<Engine>) -> Vec<Checked> {
    let report = match report_of(part) {
        Ok(report) => report,
        Err(red) => return vec![red],
    };
    let mut checked = failures(part, &report);
    for (tier, engine) in Tier::ALL.into_iter().flat_map(|tier| engines(tier).into_iter().map(move |on| (tier, on))) {
        let (name, all) = (format!("{}, {}", tier.describe(), engine.describe()), tier.formula());
        let played = report.explored.get(&engine).and_then(|tiers| tiers.get(&tier)).copied().unwrap_or_default();
        let green = Checked::green(&part.name, &name);
        let missing = if engine.is_complete() { played.outcomes.missing } else { 0 };
        let is_wrong = played.outcomes.extra + missing + played.broken + played.cut > 0;
        checked.push(match played.programs {
            programs if programs < all => green.with(
                Kind::Missing,
                format!("tier {name}: {programs} of {all} programs"),
                Some(part.command_line()),
            ),
            _ if is_wrong => green.with(
                Kind::Red,
                format!(
                    "tier {name}: {} extra, {missing} missing, {} broken, {} cut",
                    played.outcomes.extra, played.broken, played.cut
                ),
                None,
            ),
            _ => green,
        });
    }
    checked
}

/// The failing programs of a run, its differences from the baseline, and its own verdict.
fn failures(part: &Part, report: &Report) -> Vec<Checked> {
    let name = &part.name;
    let failed = report.failures.iter().map(|failure| {
        let faults: Vec<String> = failure.faults.iter().map(Fault::to_string).collect();
        let what = format!("{} on {}: {}", failure.scenario, failure.engine.name(), faults.join(", "));
        Checked::red(name, &failure.scenario, what)
    });
    let changed = report.changes.iter().map(|change| Checked::red(name, "equals the baseline", change.clone()));
    let mut checked: Vec<Checked> = failed.chain(changed).collect();
    checked.push(match report.green {
        true => Checked::green(name, "is verified"),
        false => Checked::red(name, "is verified", format!("{name} says of itself that it is not verified")),
    });
    checked
}

/// Each seeded bug of the tables as they are now.
fn mutants(part: &Part) -> Result<Vec<Checked>, String> {
    let table = Table::read(&Table::folder(&project()))?;
    let bugs = part.figures["bugs"].as_array().map_or(&[][..], Vec::as_slice);
    let end_of = |id: &str| bugs.iter().find(|bug| bug["id"] == id).and_then(|bug| bug["end"].as_str());
    let judged = table.mutants.iter().map(|mutant| {
        let checked = Checked::green(&part.name, &*mutant.id);
        match end_of(&mutant.id) {
            Some("killed" | "argued") => checked,
            Some(end) => checked.with(
                Kind::Red,
                format!("seeded bug {} {end}: {}", &*mutant.id, mutant.why),
                Some(format!("cargo verify mutants {} --show", &*mutant.id)),
            ),
            None => checked,
        }
    });
    let mut checked: Vec<Checked> = judged.collect();
    let unplayed = table.mutants.iter().filter(|mutant| end_of(&mutant.id).is_none()).count();
    let all = Checked::green(&part.name, "every seeded bug was planted");
    checked.push(match unplayed {
        0 => all,
        some => all.with(
            Kind::Missing,
            format!("{some} of {} seeded bugs were not planted", table.mutants.len()),
            Some("cargo verify mutants".to_owned()),
        ),
    });
    let unrefused = part.figures["unrefused"].as_u64();
    checked.push(match unrefused {
        Some(0) => Checked::green(&part.name, "bugs of the protocol and of the queue"),
        Some(some) => {
            Checked::red(&part.name, "bugs of the protocol and of the queue", format!("{some} of them survived"))
        }
        None => Checked::green(&part.name, "bugs of the protocol and of the queue").with(
            Kind::Missing,
            "the bugs of the protocol and of the queue".to_owned(),
            Some("cargo verify mutants".to_owned()),
        ),
    });
    Ok(checked)
}

fn proof(part: &Part, of: &str) -> Checked {
    let checked = Checked::green(&part.name, format!("the {of} is proven"));
    let found: &Value = &part.figures[of];
    match found["proven"].as_bool() {
        Some(true) => checked,
        Some(false) => checked.with(Kind::Red, format!("the proof of the {of} failed"), None),
        None => checked.with(Kind::Missing, format!("the proof of the {of}"), Some("cargo verify proof".to_owned())),
    }
}

/// The distance to the goals. A goal that is not met is no finding: `benches/COSTS.md` says why.
fn goals(part: &Part) -> Checked {
    let checked = Checked::green(&part.name, "has the distance to each goal");
    match part.figures["left"]["goals"].as_array().is_some_and(|goals| !goals.is_empty()) {
        true => checked,
        false => {
            let what = "the distance to the goals; the bench needs valgrind".to_owned();
            checked.with(Kind::Missing, what, Some(part.command_line()))
        }
    }
}

/// Each blind spot of the list as it is now.
fn blind_spots(part: &Part) -> Vec<Checked> {
    let listed = part.figures["spots"].as_array().map_or(&[][..], Vec::as_slice);
    let judged = BLIND_SPOTS.iter().map(|spot| {
        let checked = Checked::green(&part.name, spot.what);
        match listed.iter().find(|listed| listed["what"] == spot.what).map(|listed| listed["unseen"] == true) {
            Some(true) => checked,
            Some(false) => checked.with(Kind::Red, format!("a tool sees what it should not see: {}", spot.what), None),
            None => checked.with(
                Kind::Missing,
                format!("blind spot: {}", spot.what),
                Some("cargo verify blind-spots".to_owned()),
            ),
        }
    });
    judged.collect()
}
