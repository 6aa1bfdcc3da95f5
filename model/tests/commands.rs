//! The command line as an auditor meets it: what does not apply is refused, exit codes are those of the help, and the
//! report is never greener than its parts.

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;
use whendone_model::check::blind_spots::BLIND_SPOTS;
use whendone_model::project::copy::{project, target};
use whendone_model::project::files::Lock;
use whendone_model::project::provenance::Provenance;
use whendone_model::project::table::{PROTOCOL, Table};
use whendone_model::protocol::model::Action;
use whendone_model::protocol::properties::SIZE;
use whendone_model::runner::evidence::expected::EXPECTED;
use whendone_model::runner::part::{Part, SCHEMA};
use whendone_model::runner::plan::Plan;
use whendone_model::runner::tally::Tally;
use whendone_model::universe::Tier;

/// The text and the exit code of a command that writes to `target`.
fn verify(target: &Path, words: &[&str], variable: Option<&str>) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
    command.args(words).env("CARGO_TARGET_DIR", target).envs(variable.map(|name| (name, "1")));
    let output = command.output().expect("it starts");
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).expect("plain text"), output.status.code())
}

#[test]
fn options_that_do_not_apply_and_runs_of_nothing_are_refused() {
    let target = TempDir::new().expect("a folder");
    let cases: [(&[&str], &str); 32] = [
        (&["--deep", "--accept"], "'--deep' cannot be used with '--accept'"),
        (&["--deep", "scenario", "; C"], "--deep does not apply to `scenario`, but to `cargo verify`"),
        (&["--accept", "proof"], "--accept does not apply to `proof`"),
        (&["--fresh", "mutants"], "--fresh does not apply to `mutants`"),
        (&["--shard", "1/2"], "--deep"),
        (&["--workers", "0"], "a number from 1 to 65535 is needed"),
        (&["scenario", "; C", "--workers", "2", "--engine", "loom-mutex"], "--workers applies to `scenario` only if"),
        (&["scenario", "; C", "--workers", "2", "--estimate"], "--workers applies to `scenario` only if"),
        (&["merge", "x.json", "--workers", "2"], "--workers does not apply to `merge`"),
        (&["blind-spots", "--limit", "5"], "--limit does not apply to `blind-spots`"),
        (&["--limit", "0"], "0 is not in 1.."),
        (&["mutants", "--core", "src"], "--core does not apply to `mutants`"),
        (&["stress", "--seconds", "0"], "0 is not in 1.."),
        (&["clients", "--calls", "0"], "0 is not in 1..=15"),
        (&["mutants", "no_such_bug"], "no seeded bug's name contains `no_such_bug`; the most similar one is "),
        (&["scenario", "; C", "--engine", "loom-mutx"], "a similar value exists: 'loom-mutex'"),
        (&["record", "coverage"], "required"),
        (&["scenario", "; C", "--estimate", "--engine", "threads"], "'--estimate' cannot be used with '--engine"),
        (&["scenario", "; C", "--estimate", "--html"], "'--estimate' cannot be used with '--html'"),
        (&["--deep", "--engine", "loom-futex"], "--tier <TIER>"),
        (
            &["--deep", "--tier", "tasks", "--engine", "loom-futex"],
            "not every program of the tier tasks can be played: loom-futex plays only programs of the kernel",
        ),
        (&["--estimate", "--accept"], "'--estimate' cannot be used with '--accept'"),
        (&["--estimate", "stress"], "--estimate does not apply to `stress`, but to `cargo verify`"),
        (&["clients", "--estimate"], "unexpected argument '--estimate'"),
        (
            &["scenario", "@inline ; C | ! A", "--estimate"],
            "and a thread panics beside others: play it with --engine threads",
        ),
        (&["explore", "--port", "70000"], "70000 is not in 0..=65535"),
        (&["explore", "--broken", "token"], "no property of all states begins with `token`; there are:\nP1 of all"),
        (&["explore", "--broken", "P8"], "no state violates P8, so there is no path to open at"),
        (
            &["explore", "--broken", "P8", "--bug", "batch_backwards"],
            "'--broken <PROPERTY>' cannot be used with '--bug",
        ),
        (&["explore", "--planted", "a bug"], "--broken <PROPERTY>"),
        (
            &["explore", "--bug", "batch_backward"],
            "no bug of the protocol is called `batch_backward`; the most similar one is batch_backwards",
        ),
        (
            &["explore", "--bug", "newest_first"],
            "is not a bug of the protocol, so none of its states shows it; `cargo verify mutants",
        ),
    ];
    for (words, expected) in cases {
        let (text, code) = verify(target.path(), words, None);
        assert!(text.contains(expected), "{words:?}: {text}");
        assert_eq!(code, Some(2), "{words:?}: {text}");
    }
}

/// Cargo runs `cargo-whendone` with the name of its command in front.
#[test]
fn the_name_of_the_command_that_cargo_puts_in_front_is_no_argument() {
    let target = TempDir::new().expect("a folder");
    let [named, plain] = [&["whendone", "scenario", "; C"][..], &["scenario", "; C"]].map(|words| {
        let (text, code) = verify(target.path(), words, None);
        assert_eq!(code, Some(0), "{text}");
        let part = Part::read(&target.path().join("verify/parts/scenario.json")).expect("it was left");
        (text, part.command)
    });
    assert_eq!(named, plain);
}

#[test]
fn a_variable_of_loom_and_a_folder_that_is_a_file_stop_a_run_before_it_begins() {
    let target = TempDir::new().expect("a folder");
    let (text, code) = verify(target.path(), &["blind-spots"], Some("LOOM_MAX_PREEMPTIONS"));
    assert!(text.contains("LOOM_MAX_PREEMPTIONS is set"), "{text}");
    assert_eq!(code, Some(2));
    let file = target.path().join("file");
    fs::write(&file, "").expect("writable");
    let (text, code) = verify(&file, &["blind-spots"], None);
    assert!(text.starts_with("error: ") && text.contains("file/verify/parts"), "{text}");
    assert_eq!(code, Some(2));
}

#[test]
fn two_runs_do_not_write_one_part() {
    let target = TempDir::new().expect("a folder");
    let parts = target.path().join("verify/parts");
    fs::create_dir_all(&parts).expect("writable");
    let lock = Lock::take(&parts, "blind-spots").expect("nobody has it");
    let (text, code) = verify(target.path(), &["blind-spots"], None);
    assert!(text.contains(&format!("process {} writes blind-spots", std::process::id())), "{text}");
    assert_eq!(code, Some(2));
    drop(lock);
    assert_eq!(verify(target.path(), &["blind-spots"], None).1, Some(0));
}

#[test]
fn a_scenario_that_passes_leaves_a_part_and_pages_and_one_without_end_is_given_up() {
    let target = TempDir::new().expect("a folder");
    let trace = target.path().join("trace.json");
    let words = ["scenario", "a ; C | A R0", "--html", "--trace", trace.to_str().expect("plain")];
    let (text, code) = verify(target.path(), &words, None);
    assert_eq!(code, Some(0), "{text}");
    let part = Part::read(&target.path().join("verify/parts/scenario.json")).expect("it was left");
    assert_eq!((part.schema, part.exit), (SCHEMA, 0));
    let written = |ending: &str| -> String {
        let path = text.lines().filter_map(|line| line.strip_prefix("written: ")).find(|path| path.ends_with(ending));
        fs::read_to_string(path.expect("it is named")).expect("it was written")
    };
    let data: Value = serde_json::from_str(&written("json")).expect("JSON");
    let steps = data["executions"][0]["steps"].as_array().expect("steps");
    assert!(steps.iter().any(|step| step["pieces"][1]["is_locked"] == true && step["protocol"] != json!([])), "{data}");
    let last = steps.last().expect("a step");
    // The cell to which the kernel's foreign id belongs is not shown.
    assert!(last["protocol"].as_array().is_some_and(|cells| cells.len() == 1), "{data}");
    assert_eq!(last["specification"], json!(["done v0"]), "{data}");
    let added = &steps[0];
    assert_eq!(added["specification"], json!(["pending, waiting a"]), "{added}");
    let (place, text) = (&added["sources"][0]["place"], &added["sources"][0]["text"]);
    let place = place.as_str().and_then(|place| place.strip_prefix("src/kernel/cell.rs:")).expect("a line of the core");
    let core = fs::read_to_string(project().join("src/kernel/cell.rs")).expect("readable");
    let line = place.parse::<usize>().ok().and_then(|line| core.lines().nth(line - 1)).expect("a number");
    assert!(line.contains("self.state.lock()") && *text == line.trim(), "{added}");
    let page = written(".html");
    assert!(page.contains("class=\"lock\"") && !page.contains(" src=") && !page.contains("http"), "{page}");
    // Without its script the page has every step and no slider.
    let (table, script) = page.split_once("<script>").expect("a script of its own");
    let all: usize = data["executions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["steps"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(table.matches("<tr class=\"step\">").count(), all, "{page}");
    assert!(table.contains("class=\"slider\" hidden") && script.contains("slider.hidden = false"), "{page}");
    let chrome: Value = serde_json::from_str(&fs::read_to_string(&trace).expect("written")).expect("JSON");
    let of_kind =
        |kind: &str| chrome["traceEvents"].as_array().into_iter().flatten().filter(|e| e["ph"] == kind).count();
    assert!(of_kind("B") > 0 && of_kind("B") == of_kind("E"), "{chrome}");
    let long = ["scenario", "@inline aa ; A A C G A | R0 P A G A", "--engine", "loom-mutex", "--limit", "1"];
    let (text, code) = verify(target.path(), &long, None);
    assert!(text.contains("did not end within 1 s") && text.contains("--engine sections answers"), "{text}");
    assert_eq!(code, Some(2));
}

/// The program has more executions than one thread explores alone.
#[test]
fn a_large_scenario_has_the_same_text_with_any_number_of_workers() {
    let target = TempDir::new().expect("a folder");
    let printed = ["1", "2", "5"].map(|workers| {
        let words = ["scenario", "@inline aa ; A A C G A | R0 P A G A", "--engine", "sections", "--workers", workers];
        verify(target.path(), &words, None)
    });
    assert!(printed[0].0.contains(": 1413 executions, no bound"), "{}", printed[0].0);
    assert!(printed.iter().all(|one| *one == printed[0] && one.1 == Some(0)), "{printed:?}");
}

/// A bug of the protocol names the property that it breaks by the first words of its sentence.
#[test]
fn the_first_words_of_a_sentence_name_a_property_and_the_words_of_each_bug_do() {
    let named = |words: &str| -> Vec<&str> { SIZE.always(words).iter().map(|property| property.name).collect() };
    assert_eq!(named("P1"), ["P1 of all completions exactly one succeeds"], "and not P10");
    assert_eq!(named("P6 nothing is handed over before completion").len(), 1);
    assert_eq!((named("P8").len(), named("P19 settled").len(), named("P19 sett").len()), (2, 1, 0));
    assert_eq!(named("the end is reached"), [""; 0], "that is a property of one state");
    let bugs = Table::read(&Table::folder(&project()).join(PROTOCOL)).expect("well formed").mutants;
    for bug in &bugs {
        assert_ne!(named(&bug.breaks), [""; 0], "{}", bug.id);
    }
    assert_eq!(bugs.len(), 22);
}

/// An explorer of the protocol at a free port, which ends with the test.
struct Explorer {
    child: Child,
    printed: BufReader<ChildStdout>,
    /// The address that it prints, and the path there.
    address: String,
    path: String,
}

impl Explorer {
    /// Begins it, and waits for its address.
    fn begin(target: &Path, words: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
        command.args(["explore", "--port", "0"]).args(words).env("CARGO_TARGET_DIR", target).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut printed = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut lines = printed.by_ref().lines().map(|line| line.expect("plain text"));
        let line = lines.find(|line| line.ends_with(" until Ctrl-C")).expect("it prints its address");
        let url = line.split("http://").nth(1).and_then(|url| url.split(' ').next()).expect("an address");
        let (address, path) = url.split_once('/').expect("a path");
        Explorer { child, printed, address: address.to_owned(), path: format!("/{path}") }
    }

    /// The status and the text of an answer.
    fn ask(&self, method: &str, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        write!(stream, "{method} {path} HTTP/1.0\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("plain text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.split(' ').nth(1).expect("a status").to_owned(), body.to_owned())
    }

    fn page(&self, path: &str) -> String {
        let (status, page) = self.ask("GET", path);
        assert_eq!(status, "200", "{path}: {page}");
        page.replace("&#x2f;", "/")
    }
}

impl Drop for Explorer {
    fn drop(&mut self) {
        self.child.kill().expect("it can be ended");
        // The end of its output is the end of the program that it may have started, too.
        self.printed.read_to_end(&mut Vec::new()).expect("it ends");
        self.child.wait().expect("it has ended");
    }
}

/// The texts between two marks.
fn between<'a>(page: &'a str, from: &'a str, to: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(from).skip(1).filter_map(move |rest| rest.split(to).next())
}

#[test]
fn the_explorer_bears_our_name_and_explains_each_line_action_and_column() {
    let target = TempDir::new().expect("a folder");
    let explorer = Explorer::begin(target.path(), &[]);
    let page = explorer.page(&explorer.path);
    assert!(page.contains("<title>whendone: ") && page.contains("<h1>whendone: "), "{page}");
    assert!(!page.contains("<script") && !page.contains("http"), "{page}");
    assert!(page.contains(r#"<iframe name="states""#) && page.contains(r#"src="/states#/steps/0""#), "{page}");
    let explained: Vec<&str> = between(&page, "<th>", "</th>").map(str::trim).collect();
    let is_explained = |term: &str| assert!(explained.contains(&term), "{term:?} is not in {explained:?}");
    Action::all(1, 1).iter().for_each(|action| is_explained(&action.to_string()));
    // What stands behind the page are the states and the page of stateright.
    let states: Value = serde_json::from_str(&explorer.page("/.states/")).expect("JSON");
    for line in states[0]["state"].as_str().expect("a state").lines().filter(|line| !line.contains("thread ")) {
        is_explained(line.split("  ").next().unwrap_or(line));
    }
    is_explained("thread 0");
    is_explained("a b c d");
    let frame = explorer.page("/states");
    assert!(frame.contains("Stateright Explorer") && !frame.contains(r#"href="/""#), "{frame}");
    between(&frame, "<h2>", "</h2>").chain(between(&frame, "<label>", ":</label>")).for_each(|column| {
        if !column.contains('<') {
            is_explained(column);
        }
    });
    between(&frame, "/>", "</label>").map(str::trim).filter(|option| option.ends_with('?')).for_each(|option| {
        assert!(page.contains(&format!("<code>{option}</code>")), "{option} is not in {page}");
    });
    assert!(["/app.js", "/app.css", "/knockout-3.5.0.js"].iter().all(|file| !explorer.page(file).is_empty()));
    let next: Value = serde_json::from_str(&explorer.page("/.states/0")).expect("JSON");
    let actions: Vec<&str> = next.as_array().into_iter().flatten().filter_map(|step| step["action"].as_str()).collect();
    assert!(actions.contains(&"thread 0 completes") && !actions.contains(&"thread 0 settles"), "{actions:?}");
    let status: Value = serde_json::from_str(&explorer.page("/.status")).expect("JSON");
    assert_eq!(status["model"], "whendone_model::protocol::properties::Protocol", "{status}");
    // The page opens at a path, if there is one.
    assert!(explorer.page("/steps/0/1").contains(r#"src="/states#/steps/0/1""#));
    for unknown in ["/steps/0/999", "/steps/\"", "/nothing"] {
        assert_eq!(explorer.ask("GET", unknown).0, "404", "{unknown}");
    }
}

#[test]
fn an_explorer_whose_address_is_taken_says_what_to_do() {
    let target = TempDir::new().expect("a folder");
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = taken.local_addr().expect("it has one").port().to_string();
    for bug in [&[][..], &["--bug", "batch_backwards"]] {
        let (text, code) = verify(target.path(), &[&["explore", "--port", &port], bug].concat(), None);
        assert!(text.contains(&format!("127.0.0.1:{port}: ")) && text.contains("another port with --port"), "{text}");
        assert_eq!(code, Some(2), "{text}");
    }
}

/// Builds a verifier, which takes minutes: `cargo test -p whendone-model --test commands -- --ignored`.
#[test]
#[ignore = "it builds another verifier"]
fn the_explorer_opens_at_the_failing_path_of_a_seeded_bug() {
    let explorer = Explorer::begin(&target(), &["--bug", "batch_backwards"]);
    let page = explorer.page(&explorer.path);
    assert!(page.contains("batch_backwards: the last callback of a batch is handed over first"), "{page}");
    assert!(page.contains("violates <strong>P7 hand-overs follow the order of the adds"), "{page}");
    let steps: Vec<&str> = between(&page, "target=\"states\">", "</a>").collect();
    let add = "thread 0 adds a callback";
    let hand_over = "thread 0 hands over the first of its batch";
    assert_eq!(steps, ["a pending cell without callbacks", add, add, "thread 0 completes", hand_over]);
    let end = explorer.path.strip_prefix("/steps/").expect("a path of stateright");
    assert!(page.contains(&format!("src=\"/states#/steps/{end}\"")) && explorer.page("/") == page, "{page}");
    let (before, last) = end.rsplit_once('/').expect("a step");
    let states: Value = serde_json::from_str(&explorer.page(&format!("/.states/{before}"))).expect("JSON");
    let state = states[last.parse::<usize>().expect("a number")]["state"].as_str().expect("a state");
    assert!(state.contains("handed     b"), "{state}");
}

/// Every letter of every tier is explained in the help of `scenario`.
#[test]
fn the_help_explains_each_operation_and_each_exit_code() {
    let target = TempDir::new().expect("a folder");
    let (help, _) = verify(target.path(), &["scenario", "--help"], None);
    for word in Tier::ALL.into_iter().flat_map(|tier| tier.alphabet().split(' ').map(str::to_owned).collect::<Vec<_>>())
    {
        let letter = word.split('{').next().unwrap_or(&word).trim_end_matches(|c: char| c.is_ascii_digit());
        let is_told = help
            .split(|c: char| !c.is_alphanumeric() && !"!@".contains(c))
            .any(|told| told == letter || told.trim_end_matches(|c: char| c.is_ascii_digit()) == letter);
        assert!(is_told, "{word} is not in: {help}");
    }
    let (help, _) = verify(target.path(), &["--help"], None);
    assert!(["  0  ", "  1  ", "  2  ", "  130  "].iter().all(|code| help.contains(code)), "{help}");
}

/// Parts as a whole and good run would leave them.
struct Parts {
    folder: TempDir,
}

impl Parts {
    fn new(change: impl Fn(&str, &mut Value) -> bool) -> Self {
        let parts = Parts { folder: TempDir::new().expect("a folder") };
        let now = Provenance::now().expect("the sources are readable");
        let names = EXPECTED.iter().map(|expected| expected.name).filter(|name| *name != "deep");
        for name in names.chain(["deep-1-of-2", "deep-2-of-2"]) {
            let mut figures = figures(name);
            if change(name, &mut figures) {
                let command = vec![name.to_owned()];
                let part = Part {
                    schema: SCHEMA,
                    name: name.to_owned(),
                    command,
                    provenance: now.clone(),
                    seconds: 1.0,
                    exit: 0,
                    error: None,
                    skipped: Vec::new(),
                    figures,
                };
                part.write(&parts.folder.path().join(format!("{name}.json"))).expect("writable");
            }
        }
        parts
    }

    /// The text and exit code of the report, and its page.
    fn report(&self) -> (String, Option<i32>, String) {
        let into: PathBuf = self.folder.path().join("report");
        let folder = self.folder.path().to_str().expect("plain");
        let words = ["report", "--parts", folder, "--into", into.to_str().expect("plain")];
        let (text, code) = verify(self.folder.path(), &words, None);
        let page = fs::read_to_string(into.join("index.html")).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(into.join("report.json").exists() && into.join("junit.xml").exists());
        (text, code, page)
    }
}

fn figures(name: &str) -> Value {
    let mut run = serde_json::to_value(Tally::default().report(&Plan::sampled(0..0), None, 1, 1.0)).expect("JSON");
    run["green"] = json!(true);
    match name {
        "verify" => {
            let text = fs::read_to_string(project().join("model/pinned.json")).expect("readable");
            let pinned: Value = serde_json::from_str(&text).expect("JSON");
            for (engine, tiers) in pinned["explored"].as_object().expect("engines") {
                for (tier, counts) in tiers.as_object().expect("tiers") {
                    let outcomes = json!({ "allowed": 1, "observed": 1, "extra": 0, "missing": 0 });
                    run["explored"][engine][tier] = json!({
                        "programs": counts["programs"], "nontrivial": 0, "executions": counts["executions"],
                        "replayed": 0, "outcomes": outcomes, "bounded": 0, "cut": 0, "broken": 0,
                    });
                }
            }
            run
        }
        "mutants" => {
            let table = Table::read(&Table::folder(&project())).expect("well formed");
            let kill = json!({ "by": "pairs", "program": "; C", "evidence": "", "counterexample": "FAIL, drawn" });
            let killed = |id: String| json!({ "id": id, "breaks": "P1", "end": "killed", "kills": [kill] });
            let bugs: Vec<Value> = table.mutants.iter().map(|mutant| killed(mutant.id.to_string())).collect();
            json!({ "bugs": bugs, "unrefused": 0 })
        }
        "proof" => json!({ "protocol": { "proven": true }, "queue": { "proven": true } }),
        "blind-spots" => {
            let spots: Vec<Value> =
                BLIND_SPOTS.iter().map(|spot| json!({ "what": spot.what, "unseen": true })).collect();
            json!({ "spots": spots })
        }
        "benches" => {
            let goal = |figure: &str, goal: f64, is_met: bool| json!({ "figure": figure, "who": "us", "goal": goal, "measured": 1.5, "is_met": is_met });
            json!({ "left": { "goals": [goal("a row", 2.0, true), goal("another row", 1.0, false)] } })
        }
        name if name.starts_with("deep") => run,
        _ => Value::Null,
    }
}

#[test]
fn a_whole_body_of_evidence_is_green() {
    let (text, code, page) = Parts::new(|_, _| true).report();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("GREEN: nothing is missing, stale or red") && page.contains("verdict green"), "{text}");
}

#[test]
fn the_report_has_each_bug_with_its_failing_interleaving_and_the_distance_to_each_goal() {
    let (_, _, page) = Parts::new(|_, _| true).report();
    let table = Table::read(&Table::folder(&project())).expect("well formed");
    for id in table.mutants.iter().map(|mutant| mutant.id.to_string()) {
        assert!(page.contains(&format!("<a href=\"#{id}-0\"")), "{id} has no killer");
        assert!(page.contains(&format!("<pre id=\"{id}-0\">FAIL, drawn</pre>")), "{id} has no interleaving");
    }
    assert!(page.contains("met, x 0.75") && page.contains("not met, x 1.50"), "{page}");
    let uncounted = Parts::new(|name, figures| {
        let is_benches = name == "benches";
        *figures = if is_benches { Value::Null } else { figures.take() };
        true
    });
    let (text, code, _) = uncounted.report();
    assert!(text.contains("MISSING  the distance to the goals") && code == Some(1), "{text}");
}

#[test]
fn a_recorded_command_leaves_its_figures_in_its_part() {
    let target = TempDir::new().expect("a folder");
    let recorded = |script: &str| {
        let (text, code) = verify(target.path(), &["record", "benches", "--", "sh", "-c", script], None);
        let part = Part::read(&target.path().join("verify/parts/benches.json")).expect("it was left");
        (part.figures["left"].clone(), code, text)
    };
    let (left, code, text) = recorded("echo '{\"goals\": [1]}' >\"$WHENDONE_FIGURES\"");
    assert_eq!((&left, code), (&json!({ "goals": [1] }), Some(0)), "{text}");
    let (left, code, text) = recorded("exit 3");
    assert_eq!((&left, code), (&Value::Null, Some(1)), "{text}");
}

#[test]
fn a_skipped_tier_a_missing_shard_and_a_surviving_bug_are_told_at_the_head() {
    let parts = Parts::new(|name, figures| {
        match name {
            "verify" => drop(figures["explored"]["sections"].as_object_mut().and_then(|tiers| tiers.remove("fours"))),
            "mutants" => figures["bugs"][0]["end"] = json!("survived"),
            _ => {}
        }
        name != "deep-2-of-2"
    });
    let (text, code, page) = parts.report();
    assert_eq!(code, Some(1), "{text}");
    let head = page.split("<h2>").next().expect("there is one").replace("&#x2f;", "/");
    let told = [
        "tier kernel, 4 threads x 1 operation, sections on coroutines: 0 of ",
        "shard 2/2 of the deep run",
        "survived: ",
    ];
    for told in told {
        assert!(text.contains(told) && head.contains(told), "{told} is not in {text} and in {head}");
    }
    assert!(head.contains("2 missing, 0 stale, 1 red"), "{head}");
}

#[test]
fn a_part_of_other_sources_is_stale_and_a_red_one_is_red() {
    let parts = Parts::new(|_, _| true);
    let path = parts.folder.path().join("stress.json");
    let good = Part::read(&path).expect("it was written");
    let mut stale = good.clone();
    stale.provenance.sources = "0123456789abcdef".to_owned();
    stale.write(&path).expect("writable");
    let (text, code, _) = parts.report();
    assert!(text.contains("STALE    stress is of other sources, digest 0123456789ab") && code == Some(1), "{text}");
    Part { exit: 1, ..good }.write(&path).expect("writable");
    let (text, code, _) = parts.report();
    assert!(text.contains("RED      stress ended with exit code 1") && code == Some(1), "{text}");
}
