//! The tier of programs that call back: callbacks, wakers, drops and schedulers with programs, one at a time.

use crate::scenario::Scenario;

/// Programs of a callback for its call and for its drop; `Rs` removes the second waiting one.
const CALLS: [&str; 6] = ["{A}", "{X}", "{G}", "{A{A}}", "{R0}", "{Rs}"];

const DROPS: [&str; 4] = ["~{A}", "~{X}", "~{G}", "~{Rs}"];

const PANICS: [&str; 2] = ["{!}", "~{!}"];

const CLONES: [&str; 3] = ["^{A}", "^{X}", "^{G}"];

/// Every program of the tier.
pub(super) fn calling_back() -> Vec<Scenario> {
    [callbacks(), schedulers(), wakers(), two_tasks()].concat()
}

/// A waiting callback, an added one, and one added late.
fn callbacks() -> Vec<Scenario> {
    let on_kernel = ("", kinds(&[&CALLS, &DROPS]), kinds(&[&CALLS[..3], &DROPS[..3]]));
    let on_layer = |front| (front, kinds(&[&CALLS, &DROPS, &PANICS]), kinds(&[&CALLS[..3], &DROPS[..3], &PANICS]));
    let on_refuse = ("@refuse", kinds(&[&[""], &DROPS, &PANICS[1..]]), kinds(&[&DROPS[..3], &PANICS[1..]]));
    let on_panic = ("@panic", vec![""], Vec::new());
    let mut programs = Vec::new();
    for (front, waits, added) in [on_kernel, on_layer("@inline"), on_layer("@queue"), on_refuse, on_panic] {
        let (completes, others) = match front {
            "" => (texts(&["C", "X"]), texts(&["A", "R0", "Rs", "G", "X"])),
            _ => (texts(&["C", "X", "D"]), texts(&["A", "R0", "Rs", "G", "X", "P"])),
        };
        let waiting: Vec<String> = waits.into_iter().map(|kind| format!("a{kind}a")).collect();
        programs.extend(combine(front, &waiting, &completes, &others));
        let adds: Vec<String> = added.iter().flat_map(|kind| [format!("A{kind}"), format!("A{kind} Rm")]).collect();
        programs.extend(combine(front, &texts(&["", "a"]), &adds, &texts(&["X", "A", "G", "C"])));
        programs.extend(combine(front, &texts(&["C"]), &adds, &texts(&["X", "A", "G"])));
    }
    programs
}

fn schedulers() -> Vec<Scenario> {
    let mut programs = Vec::new();
    for front in ["@inline", "@queue", "@refuse", "@panic"] {
        for kind in ["{A}", "{X}", "{G}", "{R1}"] {
            // A callback that the scheduler adds is numbered before the waiting one.
            let (setup, removes) = if kind == "{A}" { ("a", &["R1"][..]) } else { ("aa", &["R0", "R1"][..]) };
            let others = [&["A", "G", "X", "P"], removes].concat();
            let (front, completes) = (format!("{front}{kind}"), texts(&["C", "X", "D"]));
            programs.extend(combine(&front, &texts(&[setup]), &completes, &texts(&others)));
        }
    }
    programs
}

fn wakers() -> Vec<Scenario> {
    let kinds = kinds(&[&CALLS[..3], &DROPS[..3], &PANICS, &CLONES]);
    let polls: Vec<String> =
        kinds.iter().flat_map(|kind| ["", " P", " Q"].map(|then| format!("P{kind}{then}"))).collect();
    let on = |front| combine(front, &texts(&[""]), &polls, &texts(&["C", "X", "D", "A"]));
    ["@inline", "@queue"].into_iter().flat_map(on).collect()
}

fn two_tasks() -> Vec<Scenario> {
    let mut programs = Vec::new();
    let calling =
        ["a{y.X} y.a{X}", "a{y.C} y.a{G}", "a{y.A} y.a", "a{y.G} y.a{R0}", "a{y.C z.C} y.a z.a", "a~{y.X} y.a~{X}"];
    let both =
        [("@inline", &calling[..]), ("@queue", &calling), ("@refuse", &["a y.a", calling[5]]), ("@panic", &["a y.a"])];
    let both = both.into_iter().chain([("@inline{y.X}", &["a y.a"][..]), ("@queue{y.X}", &["a y.a"])]);
    for (front, setups) in both {
        programs.extend(combine(front, &texts(setups), &texts(&["C", "X"]), &texts(&["A", "y.A", "y.X", "y.G"])));
    }
    programs
}

fn kinds(kinds: &[&[&'static str]]) -> Vec<&'static str> {
    kinds.concat()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Every start with one thread of each kind; on the queue, which the last thread serves, in both orders.
pub(super) fn combine(front: &str, setups: &[String], ones: &[String], others: &[String]) -> Vec<Scenario> {
    let mut programs = Vec::new();
    for setup in setups {
        // The number of the second waiting callback depends on the registrations before it.
        let second = format!("R{}", setup.matches(['a', 'A']).count().saturating_sub(1));
        for (one, other) in ones.iter().flat_map(|one| others.iter().map(move |other| (one, other))) {
            let orders = [(one, other), (other, one)];
            for (first, last) in &orders[..if front.starts_with("@queue") && one != other { 2 } else { 1 }] {
                let text = format!("{front} {setup} ; {first} | {last}").replace("Rs", &second);
                // The number of a waker depends on the callbacks that the thread before it adds.
                let before = if *first == one { 0 } else { first.matches('A').count() };
                let text = text.replace("Ji", &format!("J{before}")).replace("Jj", &format!("J{}", before + 1));
                programs.push(text.parse().unwrap_or_else(|malformed| panic!("{malformed}")));
            }
        }
    }
    programs
}
