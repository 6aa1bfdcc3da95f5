//! `scenario` and `replay`: one scenario as a litmus test, and its executions as drawings and pages.

use super::arguments::Pages;
use super::print;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::error::Error;
use std::io::{IsTerminal, stderr, stdout};
use std::panic;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use whendone_model::check::check_against;
use whendone_model::counterexample::Counterexample;
use whendone_model::counterexample::page::{chrome_trace, data, page};
use whendone_model::counterexample::steps::Drawn;
use whendone_model::counterexample::token::Token;
use whendone_model::engines::catalog::Engine;
use whendone_model::engines::record::recorder::BEGUN;
use whendone_model::engines::sections::estimate::{Estimate, estimate};
use whendone_model::project::copy::folder_in_target;
use whendone_model::project::files::write_atomically;
use whendone_model::project::origin::in_own_words;
use whendone_model::project::sources::digest;
use whendone_model::runner::explore::Run;
use whendone_model::runner::part::Found;
use whendone_model::runner::plan::STANDARD;
use whendone_model::scenario::Scenario;
use whendone_model::spec::allowed::known;

/// Runs one scenario, and prints its allowed and observed outcomes: on the named engines, or on all standard ones that
/// can play it.
pub fn litmus(text: &str, named: &[Engine], run: &Run, pages: &Pages) -> Result<Found, Box<dyn Error>> {
    let scenario: Scenario = text.parse()?;
    let engines = if named.is_empty() { &STANDARD } else { named };
    let (able, objections): (Vec<_>, Vec<_>) = engines
        .iter()
        .map(|engine| (*engine, engine.objection(&scenario)))
        .partition(|(_, objection)| objection.is_none());
    if let (true, Some((_, Some(objection)))) = (able.is_empty(), objections.first()) {
        return Err(objection.clone().into());
    }
    print(&scenario)?;
    let (mut failures, mut results) = (Vec::new(), Vec::new());
    let mut green = true;
    for (engine, _) in able {
        let (is_good, failure, result) = litmus_on(engine, &scenario, run)?;
        green &= is_good;
        failures.extend(failure);
        results.push(result);
    }
    let mut skipped = Vec::new();
    for objection in objections.into_iter().filter_map(|(_, objection)| objection) {
        print(format_args!("\nnot played again: {objection}"))?;
        skipped.push(objection);
    }
    if stdout().is_terminal() {
        eprintln!("{}", in_own_words("letters and columns: cargo verify scenario --help"));
    }
    if pages.are_wanted() {
        let _watch = Watch::begin("drawing", run.limit);
        // A passing scenario has an execution to show for each allowed outcome.
        let drawn = if failures.is_empty() { Counterexample::witnesses(&scenario) } else { failures };
        write_pages(pages, &scenario.to_string(), &drawn)?;
    }
    Ok(Found {
        exit: u8::from(!green),
        figures: json!({ "scenario": scenario.to_string(), "engines": results }),
        skipped,
        error: None,
    })
}

/// Whether the scenario is good on this engine, its drawn failure if not, and its figures.
type Result1 = (bool, Option<Counterexample>, Value);

fn litmus_on(engine: Engine, scenario: &Scenario, run: &Run) -> Result<Result1, Box<dyn Error>> {
    let watch = Watch::begin(engine.name(), run.limit);
    let observed = engine.observe_on(scenario, run.workers);
    let allowed = known(scenario, observed.observations.keys());
    drop(watch);
    let verdict = check_against(&allowed, scenario, engine.is_complete(), &observed);
    let (name, executions, extent) = (engine.describe(), observed.executions, observed.extent);
    let must = if engine.is_complete() { "must be equal" } else { "must be contained" };
    print(format_args!("\n{name}, {must}: {executions} executions, {extent}\n"))?;
    print("  allowed  executions  answers -> hand-overs")?;
    for observation in allowed.iter().chain(observed.observations.keys().filter(|seen| !allowed.contains(seen))) {
        let is_allowed = if allowed.contains(observation) { "yes" } else { "NO" };
        let seen = observed.observations.get(observation).copied().unwrap_or(0);
        print(format_args!("  {is_allowed:<7}  {seen:>10}  {observation}"))?;
    }
    verdict.broken.iter().try_for_each(|broken| print(format_args!("  broken: {broken}")))?;
    print(format_args!("  {}", if verdict.is_good() { "ok" } else { "FAIL" }))?;
    // With timestamps the history that is not linearizable is printed already.
    let fault = verdict.faults.first().filter(|_| engine != Engine::Tickets);
    let failure = fault.map(|fault| {
        let _watch = Watch::begin("shrinking", run.limit);
        // The failure is reported, so panics while it is shrunk need no message.
        panic::set_hook(Box::new(|_| ()));
        Counterexample::of_failure(engine, engine.play(), scenario, fault)
    });
    failure.iter().try_for_each(|failure| print(format_args!("\n{failure}")))?;
    Ok((verdict.is_good(), failure, json!({ "engine": engine, "extent": extent.to_string(), "verdict": verdict })))
}

/// Prints about how many executions the engine of sections has to explore without a reduction, and how long that takes.
pub fn estimated(text: &str, limit: Duration) -> Result<Found, Box<dyn Error>> {
    let scenario: Scenario = text.parse()?;
    if let Some(objection) = Engine::Sections.objection(&scenario) {
        return Err(objection.into());
    }
    let (watch, start) = (Watch::begin("estimating", limit), Instant::now());
    let Estimate { executions, before, spent } = estimate(SEED, LEAST, || Engine::Sections.observe(&scenario))?;
    drop(watch);
    let seconds = start.elapsed().as_secs_f64() / spent as f64 * executions;
    let before = before.map_or_else(String::new, |before| format!(" ({before:.0} by a pass half as fine)"));
    print(&scenario)?;
    print(format_args!(
        "sections-plain: about {executions:.0} executions{before}, {seconds:.1} s; sections explores a part of them"
    ))?;
    print(format_args!("estimated from {spent} executions; nothing was checked"))?;
    Ok(Found::default())
}

/// The executions that an estimate may take, also if a program has fewer.
const LEAST: u64 = 2000;

/// The seed of an estimate.
const SEED: u64 = 1975;

/// Draws one execution for each allowed outcome of a scenario.
pub fn explain(text: &str, limit: Duration, pages: &Pages) -> Result<Found, Box<dyn Error>> {
    let scenario: Scenario = text.parse()?;
    let watch = Watch::begin(Engine::LoomMutex.name(), limit);
    let witnesses = Counterexample::witnesses(&scenario);
    drop(watch);
    witnesses.iter().try_for_each(|witness| print(format_args!("{witness}\n")))?;
    write_pages(pages, &scenario.to_string(), &witnesses)?;
    let shown = witnesses.iter().filter(|witness| witness.has_execution()).count();
    let figures = json!({ "scenario": scenario.to_string(), "allowed": witnesses.len(), "shown": shown });
    Ok(Found { exit: u8::from(shown < witnesses.len()), figures, ..Found::default() })
}

/// Runs the execution that a token names, and draws it.
pub fn replay(token: &str, pages: &Pages) -> Result<Found, Box<dyn Error>> {
    let parsed = token.parse::<Token>()?;
    let counterexample = Counterexample::of_token(&parsed)?;
    print(&counterexample)?;
    write_pages(pages, &parsed.scenario.to_string(), std::slice::from_ref(&counterexample))?;
    let figures = json!({ "scenario": parsed.scenario.to_string(), "token": token });
    Ok(Found { exit: u8::from(!counterexample.has_execution()), figures, ..Found::default() })
}

/// Writes the wanted files, and prints their paths.
fn write_pages(pages: &Pages, title: &str, drawn: &[Counterexample]) -> Result<(), Box<dyn Error>> {
    let drawn: Vec<Drawn> = drawn.iter().enumerate().map(|(at, one)| one.drawn(at + 1)).collect();
    let mut files = Vec::new();
    if pages.html {
        let text = format!("{:#}\n", data(&drawn));
        let whole = digest([text.as_bytes()]);
        let path = folder_in_target("verify/traces")?.join(&whole[..12]);
        files.push((path.with_extension("html"), page(title, &drawn)?));
        files.push((path.with_extension("json"), text));
    }
    files.extend(pages.trace.iter().map(|path| (path.clone(), format!("{}\n", chrome_trace(&drawn)))));
    for (path, text) in files {
        write_atomically(&path, text)?;
        print(format_args!("written: {}", path.display()))?;
    }
    Ok(())
}

/// A watch over an exploration: it shows progress, and ends the process at the limit.
struct Watch {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The time after which progress is shown on a terminal, and between two lines elsewhere.
const FIRST: Duration = Duration::from_secs(2);
const BETWEEN: Duration = Duration::from_secs(20);

impl Watch {
    fn begin(name: &'static str, limit: Duration) -> Self {
        let (end, ended) = channel();
        let thread = thread::spawn(move || {
            let (start, before) = (Instant::now(), BEGUN.load(Ordering::Relaxed));
            let style = ProgressStyle::with_template("{spinner} {msg}").expect("a valid template");
            let bar = ProgressBar::new_spinner().with_style(style);
            let pause = if stderr().is_terminal() { FIRST } else { BETWEEN };
            loop {
                let left = limit.saturating_sub(start.elapsed());
                match ended.recv_timeout(pause.min(left)) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => break,
                }
                let executions = BEGUN.load(Ordering::Relaxed) - before;
                let seconds = start.elapsed().as_secs();
                if start.elapsed() >= limit {
                    bar.finish_and_clear();
                    eprintln!("error: {}", given_up(name, limit, executions));
                    std::process::exit(2);
                }
                let told = format!("{name}: {executions} executions in {seconds} s");
                if stderr().is_terminal() {
                    bar.set_message(told)
                } else {
                    eprintln!("{told}")
                }
                bar.tick();
            }
            bar.finish_and_clear();
        });
        Watch { end: Some(end), thread: Some(thread) }
    }
}

/// The advice at the limit.
fn given_up(name: &str, limit: Duration, executions: u64) -> String {
    let advice = match name.starts_with("sections") {
        true => "--limit gives it more time, --engine threads plays a sample at once",
        false => "--engine sections answers most scenarios at once, --limit gives this engine more time",
    };
    format!(
        "{name} did not end within {} s, after {executions} executions, so nothing is shown; {advice}",
        limit.as_secs()
    )
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.end.take());
        // It prints nothing of its own after this.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
