//! The page of rules has no gap: each rule is kept by tests that cite it, or does not apply for a stated reason; and
//! the lists of properties agree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A rule by its letter and number, as R7 or D16.
type Number = (char, u32);

/// One row of the page.
struct Row {
    number: Number,
    rule: String,
    here: String,
    tests: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the page that begin with a number of these letters, as their cells. A link may lead to a number, by the
/// anchor of its name.
fn cells(letters: &[char]) -> Vec<[String; 4]> {
    let text = fs::read_to_string(root().join("docs/RULES.md")).expect("the page is there");
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" |").map(str::trim).collect();
        let (number, anchor) = cells[0].split_once('<').unwrap_or((cells[0], ""));
        if number.strip_prefix(letters).is_some_and(|digits| digits.parse::<u32>().is_ok()) {
            let expected = format!("a id=\"{}\"></a>", number.to_lowercase());
            assert!(anchor.is_empty() || anchor == expected, "{anchor} stands behind {number}");
            let [_, second, third, fourth] = cells[..] else { panic!("a row has four cells: {line}") };
            rows.push([number, second, third, fourth].map(str::to_owned));
        }
    }
    rows
}

fn page() -> Vec<Row> {
    cells(&['R', 'D']).into_iter().map(row).collect()
}

fn row([number, rule, here, tests]: [String; 4]) -> Row {
    let numbers: Vec<Number> = numbers(&number).into_iter().collect();
    let [number] = numbers[..] else { panic!("{number} is no number") };
    let tests = tests.split_whitespace().map(|test| test.trim_matches('`').to_owned()).collect();
    Row { number, rule, here, tests }
}

/// The numbers in a text, as in R7 or R1-R9.
fn numbers(text: &str) -> BTreeSet<Number> {
    let mut found = BTreeSet::new();
    let mut range_from = None;
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let (name, behind) = word.split_at(word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len());
        let number = name.strip_prefix(['R', 'D']).and_then(|digits| digits.parse().ok());
        let from = range_from.take();
        let Some(number) = number else { continue };
        let letter = if name.starts_with('R') { 'R' } else { 'D' };
        found.extend((from.unwrap_or(number)..=number).map(|number| (letter, number)));
        range_from = (behind == "-").then_some(number);
    }
    found
}

/// Every test by its path, as `races::name` or `task::adding::name`, with the numbers that its doc comment cites.
/// A race is a test without the attribute.
fn tests() -> BTreeMap<String, BTreeSet<Number>> {
    let mut tests = BTreeMap::new();
    for file in files("tests") {
        let path = file.strip_prefix(root().join("tests")).expect("below the folder").with_extension("");
        let stem = path.to_str().expect("plain names").replace('/', "::");
        let (mut cited, mut marked) = (BTreeSet::new(), false);
        for line in fs::read_to_string(file).expect("readable").lines().map(str::trim) {
            let function = line.strip_prefix("fn ").and_then(|rest| rest.split_once('('));
            let race = line.split_once(": \"").filter(|_| stem == "races");
            if let Some(doc) = line.strip_prefix("///") {
                cited.extend(numbers(doc));
            } else if line.starts_with('#') {
                marked = line == "#[test]" || marked && !line.starts_with("#[ignore");
            } else {
                let name = race.or(function.filter(|_| marked)).map(|(name, _)| format!("{stem}::{name}"));
                tests.extend(name.map(|name| (name, cited.clone())));
                (cited, marked) = (BTreeSet::new(), false);
            }
        }
    }
    tests
}

/// Every Rust file below a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let (mut open, mut files) = (vec![root().join(folder)], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("readable").path();
            match path.extension() {
                _ if path.is_dir() => open.push(path),
                Some(extension) if extension == "rs" => files.push(path),
                _ => {}
            }
        }
    }
    files
}

#[test]
fn every_rule_and_decision_has_one_row_in_order() {
    let expected = (1..=114).map(|number| ('R', number)).chain((1..=31).map(|number| ('D', number)));
    assert!(page().into_iter().map(|row| row.number).eq(expected));
}

#[test]
fn each_row_names_tests_that_cite_it_or_the_decision_that_excludes_it() {
    let tests = tests();
    for Row { number, rule, here, tests: named } in page() {
        let (letter, digits) = number;
        assert!(rule.ends_with('.'), "{letter}{digits} is a sentence: {rule}");
        let (word, reason) = here.split_once(", ").unwrap_or((&here, ""));
        let decided = numbers(reason).into_iter().any(|(letter, _)| letter == 'D') && reason.contains(": ");
        match word {
            "kept" => assert!(reason.is_empty() && !named.is_empty(), "{letter}{digits} is kept by no test"),
            "changed" => assert!(decided && !named.is_empty(), "{letter}{digits} is changed by no decision or test"),
            "not applicable" => assert!(decided && named.is_empty(), "{letter}{digits} is left out without a reason"),
            _ => panic!("{letter}{digits} is neither kept, changed nor not applicable: {here}"),
        }
        for name in named {
            let cited = tests.get(&name).unwrap_or_else(|| panic!("{letter}{digits}: there is no test {name}"));
            assert!(cited.contains(&number), "{name} does not cite {letter}{digits}");
        }
    }
}

/// The numbers in front of the items of a list in a page of documentation, as in `//! * P9, P10 a removal ..`.
fn items(text: &str) -> Vec<String> {
    let is_number = |word: &&str| word.strip_prefix('P').is_some_and(|digits| digits.parse::<u32>().is_ok());
    let items = text.lines().filter_map(|line| line.strip_prefix("//! * "));
    let without_anchors = items.map(|item| item.split('<').map(|part| part.split('>').next_back().unwrap_or_default()));
    let numbers = without_anchors.flat_map(|item| {
        let item: String = item.collect();
        let words = item.split([' ', ',', ':', '*']).filter(|word| !word.is_empty()).take_while(is_number);
        words.map(str::to_owned).collect::<Vec<_>>()
    });
    numbers.collect()
}

/// The names in the array of the check that names a broken property, in their order.
fn names_of_faults() -> Vec<String> {
    let file = files("model/src").into_iter().find(|file| file.ends_with("fault.rs")).expect("it names the faults");
    let text = fs::read_to_string(file).expect("readable");
    let (_, rest) = text.split_once("const NAMES: [&str; ").expect("there is an array of names");
    let (names, _) = rest.split_once("];\n").expect("it ends");
    names.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The page has all properties, `fault.rs` has their names, and the kernel's documentation has the kernel's properties.
#[test]
fn the_three_lists_of_properties_agree() {
    let properties = cells(&['P']);
    let (numbers, names): (Vec<_>, Vec<_>) =
        properties.iter().map(|[number, name, ..]| (number.as_str(), name.as_str())).unzip();
    let expected: Vec<String> = (1..=22).map(|number| format!("P{number}")).collect();
    assert_eq!(numbers, expected, "numbers in docs/RULES.md");
    assert_eq!(names_of_faults(), names, "names in fault.rs, and in docs/RULES.md");
    let page = fs::read_to_string(root().join("src/kernel/mod.rs")).expect("readable");
    let (_, list) = page.split_once("//! # Properties\n").expect("the kernel lists its properties");
    let (list, _) = list.split_once("//! #").expect("another heading follows");
    let of_kernel = properties.iter().filter(|[_, _, of, _]| of == "kernel").map(|[number, ..]| number.as_str());
    assert_eq!(items(list), of_kernel.collect::<Vec<_>>(), "numbers in src/kernel/mod.rs, and in docs/RULES.md");
    for [number, _, _, statement] in &properties {
        assert!(statement.ends_with('.'), "{number} is a sentence: {statement}");
    }
}

/// A test does not cite rules that do not apply either.
#[test]
fn only_numbers_of_the_page_are_cited() {
    let page = page();
    let known: BTreeSet<Number> = page.iter().map(|row| row.number).collect();
    for file in ["src", "tests", "examples"].into_iter().flat_map(files) {
        let text = fs::read_to_string(&file).expect("readable");
        let comments = text.lines().filter_map(|line| line.split_once("//")).flat_map(|(_, comment)| numbers(comment));
        let invented: Vec<Number> = comments.filter(|number| !known.contains(number)).collect();
        assert!(invented.is_empty(), "{} cites {invented:?}", file.display());
    }
    let absent: BTreeSet<Number> =
        page.iter().filter(|row| row.here.starts_with("not")).map(|row| row.number).collect();
    for (test, cited) in tests() {
        let both: Vec<_> = cited.intersection(&absent).collect();
        assert!(both.is_empty(), "{test} cites {both:?}, which the page calls not applicable");
    }
}

#[test]
fn numbers_are_read_alone_in_lists_and_in_ranges() {
    let read = numbers("R7, (R1-R3) D16: not XR9 nor R, nor R8x");
    assert_eq!(read, BTreeSet::from([('D', 16), ('R', 1), ('R', 2), ('R', 3), ('R', 7)]));
}

/// The page is part of the documentation, as `whendone::rules`: a number that documentation cites is a link to it.
/// rustdoc checks that a link has a definition; this test checks its target.
#[test]
fn numbers_in_public_documentation_are_links_that_lead_to_them() {
    let page_text = fs::read_to_string(root().join("docs/RULES.md")).expect("the page is there");
    let kernel = fs::read_to_string(root().join("src/kernel/mod.rs")).expect("the page is there");
    let properties = kernel.split("# Properties").nth(1).and_then(|rest| rest.split("//! #").next());
    let properties: BTreeSet<&str> = words(properties.expect("the kernel lists its properties")).collect();
    for (letter, digits) in page().into_iter().map(|row| row.number) {
        let anchor = format!("{letter}{digits}<a id=\"{}{digits}\"></a> |", letter.to_ascii_lowercase());
        assert_eq!(page_text.matches(&anchor).count(), 1, "{letter}{digits} can be linked to: {anchor}");
    }
    let mut links = 0;
    for file in files("src") {
        let in_kernel = file.parent() == Some(&root().join("src/kernel"));
        let text = fs::read_to_string(&file).expect("readable");
        for line in public_documentation(&text) {
            let Some((name, target)) = line.strip_prefix('[').and_then(|line| line.split_once("]: ")) else {
                let bare = words(line).find(|word| is_number(word) && !line.contains(&format!("[{word}]")));
                assert_eq!(bare, None, "{} cites it without a link: {line}", file.display());
                continue;
            };
            links += 1;
            let in_rules = page_text.contains(&format!("{name}<a id=\"{}\"></a>", name.to_lowercase()));
            let leads_there = match target {
                "super#properties" => in_kernel && properties.contains(name),
                "crate::kernel#properties" => !in_kernel && properties.contains(name),
                _ => !in_kernel && in_rules && target == format!("crate::rules#{}", name.to_lowercase()),
            };
            assert!(leads_there, "{}: {line}", file.display());
        }
    }
    assert!(links > 0, "no documentation was found");
}

/// The documentation of public items and of their members, line by line.
fn public_documentation(text: &str) -> Vec<&str> {
    let (mut found, mut block, mut in_public) = (Vec::new(), Vec::new(), false);
    for line in text.lines() {
        let code = line.trim_start();
        if let Some(doc) = code.strip_prefix("///") {
            block.push(doc.trim());
        } else if !code.starts_with(['#', '/']) {
            let inside = line.len() - code.len() == 4;
            if code == line && !line.is_empty() {
                in_public = line.starts_with("pub enum") || line.starts_with("pub trait") || line.starts_with("impl");
            }
            let is_public = code.starts_with("pub ") || code == line && code.starts_with("impl");
            let is_member = inside && in_public && code.starts_with(|c: char| c.is_uppercase());
            let documented = std::mem::take(&mut block);
            if is_public || is_member {
                found.extend(documented);
            }
        }
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// Returns true for a number such as R7, D16 or P20.
fn is_number(word: &str) -> bool {
    word.strip_prefix(['R', 'D', 'P']).is_some_and(|digits| digits.parse::<u32>().is_ok())
}
