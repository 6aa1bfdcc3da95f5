//! The pages show exactly the output that the command prints; their scenarios parse, their links lead somewhere.
//!
//! `WHENDONE_DOCS=rewrite cargo test -p whendone-model --test docs` puts the present output into the pages.

use std::path::Path;
use std::process::Command;
use std::{env, fs};
use whendone_model::scenario::Scenario;

/// The pages, with the least number of examples that each must have.
const PAGES: [(&str, usize); 14] = [
    ("README.md", 1),
    ("CHANGELOG.md", 0),
    ("CONTRIBUTING.md", 0),
    ("SOUNDNESS.md", 0),
    ("docs/ADAPTERS.md", 0),
    ("docs/CPYTHON.md", 0),
    ("docs/FROM_ASYNCIO.md", 0),
    ("docs/GLOSSARY.md", 0),
    ("docs/GUIDE.md", 0),
    ("docs/RULES.md", 0),
    ("docs/SCALE.md", 0),
    ("docs/SCENARIOS.md", 20),
    ("docs/VENDORING.md", 0),
    ("docs/VERIFICATION.md", 1),
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// The arguments of a command line, in which single quotes hold one together.
fn arguments(line: &str) -> Vec<&str> {
    let quoted = |(at, part)| if at % 2 == 1 { vec![part] } else { str::split_whitespace(part).collect() };
    line.split('\'').enumerate().flat_map(quoted).collect()
}

/// The output of `cargo verify` without the replay token, which changes with every source file, and without the lines of
/// progress, which a slow machine prints.
fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_verify")).args(arguments).output().expect("it starts");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("plain text");
    let without_token = |line: &str| match line.split_once("replay: ") {
        Some((before, _)) => format!("{before}replay: ...\n"),
        None => format!("{line}\n"),
    };
    let is_progress = |line: &&str| line.contains(" executions in ") && line.ends_with(" s");
    text.trim_end().lines().filter(|line| !is_progress(line)).map(without_token).collect()
}

/// The page with the output of each example as it is printed now, and the number of examples.
fn printed_anew(page: &str) -> (String, usize) {
    let (mut anew, mut examples) = (String::new(), 0);
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        anew += &format!("{line}\n");
        if line != "```console" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match block[0].strip_prefix("$ cargo verify scenario ") {
            Some(rest) => {
                examples += 1;
                let printed = printed(&[&["scenario"], arguments(rest).as_slice()].concat());
                anew += &format!("{}\n{printed}", block[0]);
            }
            None => anew += &block.iter().map(|line| format!("{line}\n")).collect::<String>(),
        }
        anew += "```\n";
    }
    (anew, examples)
}

#[test]
fn examples_show_what_the_command_prints() {
    let rewrite = env::var_os("WHENDONE_DOCS").is_some_and(|wish| wish == "rewrite");
    for (name, least) in PAGES {
        let page = read(name);
        let (anew, examples) = printed_anew(&page);
        assert!(examples >= least, "{name} has {examples} examples");
        if rewrite {
            fs::write(root().join(name), &anew).unwrap_or_else(|error| panic!("{name}: {error}"));
            continue;
        }
        let differs = page.lines().zip(anew.lines()).position(|(old, new)| old != new);
        if let Some(at) = differs {
            let (old, new) = (page.lines().nth(at), anew.lines().nth(at));
            panic!("{name}:{}\n    page: {old:?}\n printed: {new:?}", at + 1);
        }
        assert_eq!(page.lines().count(), anew.lines().count(), "{name}: the last example is cut short");
    }
}

/// Texts between backticks, outside fenced blocks.
fn code_spans(page: &str) -> Vec<String> {
    let prose = page.split("```").step_by(2).collect::<String>();
    prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn scenarios_in_running_text_parse() {
    let spans = code_spans(&read("docs/SCENARIOS.md"));
    let scenarios: Vec<_> = spans.iter().filter(|span| span.contains(';') && *span != ";").collect();
    assert!(scenarios.len() > 1, "no scenario was found");
    for scenario in scenarios {
        scenario.parse::<Scenario>().unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_excerpt_in_the_readme_is_part_of_the_whole_table() {
    let (readme, table) = (read("README.md"), read("docs/VERIFICATION.md"));
    let blocks = readme.split("```").filter_map(|block| block.strip_prefix("text\n"));
    let excerpt = blocks.into_iter().find(|block| block.contains("observed must equal allowed"));
    for line in excerpt.expect("there is one").lines() {
        assert!(table.lines().any(|other| other == line), "not in docs/VERIFICATION.md: {line}");
    }
}

/// The anchor that GitHub makes of a heading.
fn heading_anchor(heading: &str) -> String {
    let kept = heading
        .trim_start_matches(['#', ' '])
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The links of a page within the project.
fn links(page: &str) -> Vec<String> {
    let prose: String = page.split("```").step_by(2).collect();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    targets.filter(|link| !link.starts_with("https://")).map(str::to_owned).collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    for (name, _) in PAGES {
        for link in links(&read(name)) {
            let (path, wanted) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => root().join(name),
                path => root().join(name).with_file_name("").join(path),
            };
            assert!(target.exists(), "{name}: {link}");
            let is_wanted = |line: &str| line.strip_prefix('#').is_some_and(|rest| heading_anchor(rest) == wanted);
            let text = if wanted.is_empty() { "#".to_owned() } else { fs::read_to_string(&target).expect("a page") };
            let is_anchor = || !wanted.is_empty() && text.contains(&format!("<a id=\"{wanted}\"></a>"));
            assert!(text.lines().any(is_wanted) || is_anchor(), "{name}: {link}");
        }
    }
}

/// A reader of the published package has nothing else.
#[test]
fn links_of_published_pages_stay_in_the_package() {
    let list = ["package", "--list", "--allow-dirty", "--offline", "--package", "whendone"];
    let output = Command::new(env!("CARGO")).args(list).current_dir(root()).output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let published = String::from_utf8(output.stdout).expect("plain names");
    let published: Vec<&Path> = published.lines().map(Path::new).collect();
    let pages: Vec<_> = published.iter().filter(|file| file.extension().is_some_and(|kind| kind == "md")).collect();
    assert!(pages.len() > 2, "{published:?}");
    for page in pages {
        for link in links(&read(page.to_str().expect("plain names"))) {
            let path = link.split('#').next().unwrap_or_default();
            let mut target = page.with_file_name("");
            for part in path.split('/') {
                match part {
                    ".." => drop(target.pop()),
                    _ => target.push(part),
                }
            }
            assert!(path.is_empty() || published.contains(&target.as_path()), "{}: {link}", page.display());
        }
    }
}

/// Folders of the project, as they begin a path in running text.
const FOLDERS: [&str; 6] = ["benches/", "examples/", "fuzz/", "model/", "src/", "tests/"];

#[test]
fn paths_in_running_text_exist() {
    let is_path =
        |span: &String| FOLDERS.iter().any(|folder| span.starts_with(folder)) && !span.contains([' ', ':', '*']);
    for (name, _) in PAGES.iter().filter(|(name, _)| *name != "CHANGELOG.md") {
        let spans = code_spans(&read(name)).into_iter();
        let gone: Vec<String> = spans.filter(is_path).filter(|path| !root().join(path).exists()).collect();
        assert!(gone.is_empty(), "{name}: {gone:?}");
    }
}
