//! The size of each adapter beside that of its peers: lines of code, and how often they say `unsafe`.

use proc_macro2::{Group, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const MANIFEST: &str = env!("CARGO_MANIFEST_DIR");

/// Files of a package.
type Files = (&'static str, &'static [&'static str]);

const OURS: &str = "whendone-adapters";

/// An adapter, what it mirrors, the peer's files, and the files of other modules on which the peer stands.
const ROWS: [(&str, &str, &[Files], &[Files]); 6] = [
    (
        "cancellation_token",
        "`CancellationToken`",
        &[(
            "tokio-util",
            &[
                "src/sync/cancellation_token.rs",
                "src/sync/cancellation_token/guard.rs",
                "src/sync/cancellation_token/guard_ref.rs",
                "src/sync/cancellation_token/tree_node.rs",
            ],
        )],
        &[("tokio", &["src/sync/notify.rs", "src/util/linked_list.rs", "src/util/wake_list.rs"])],
    ),
    (
        "shared",
        "`Shared`",
        &[("futures-util", &["src/future/future/shared.rs"])],
        &[("slab", &["src/lib.rs"]), ("futures-task", &["src/arc_wake.rs", "src/waker.rs", "src/waker_ref.rs"])],
    ),
    ("oneshot", "`oneshot`", &[("futures-channel", &["src/oneshot.rs"])], &[("futures-channel", &["src/lock.rs"])]),
    (
        "oneshot",
        "the crate",
        &[(
            "oneshot",
            &[
                "src/lib.rs",
                "src/atomic.rs",
                "src/channel.rs",
                "src/errors.rs",
                "src/receiver.rs",
                "src/sender.rs",
                "src/states.rs",
                "src/thread.rs",
                "src/waker.rs",
            ],
        )],
        &[],
    ),
    ("abort_signal", "`AbortSignal` of the DOM", &[], &[]),
    ("after_func", "`context.AfterFunc` of Go", &[], &[]),
];

/// The files on which each adapter stands.
const BELOW: [(&str, Files); 2] = [
    ("`waiting` and `machine`", (OURS, &["src/waiting.rs", "src/machine.rs"])),
    (
        "the kernel",
        (
            "whendone",
            &[
                "src/kernel/mod.rs",
                "src/kernel/cell.rs",
                "src/kernel/drain.rs",
                "src/kernel/queue.rs",
                "src/kernel/table.rs",
            ],
        ),
    ),
];

/// The table of sizes, as it is on the page.
pub fn table() -> String {
    let packages = packages();
    let mut text = "\
        | adapter | lines | unsafe | mirrors | of | lines | unsafe | which stands on | lines | unsafe |\n\
        |---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (adapter, mirrors, peer, below) in ROWS {
        let file = format!("src/{adapter}.rs");
        let own = cells(Size::of(&packages, &[(OURS, &[&file])]), true);
        let size_of = |files: &[Files]| cells(Size::of(&packages, files), !files.is_empty());
        let of = named(&packages, peer);
        let (peer_size, stands_on, below_size) = (size_of(peer), named(&packages, below), size_of(below));
        let _ = writeln!(text, "| `{adapter}` | {own} | {mirrors} | {of} | {peer_size} | {stands_on} | {below_size} |");
    }
    for (name, files) in BELOW {
        let size = cells(Size::of(&packages, &[files]), true);
        let _ = writeln!(text, "| under all: {name} | {size} | | | | | | | |");
    }
    text
}

fn cells(size: Size, are_there: bool) -> String {
    if are_there { format!("{} | {}", size.lines, size.unsafes) } else { "- | -".to_owned() }
}

/// The packages of these files, with their versions.
fn named(packages: &Packages, files: &[Files]) -> String {
    let names = files.iter().map(|(name, _)| format!("{name} {}", packages[*name].0));
    if files.is_empty() { "-".to_owned() } else { names.collect::<Vec<_>>().join(", ") }
}

/// The version and the folder of each package of this workspace and of its dependencies.
type Packages = BTreeMap<String, (String, PathBuf)>;

/// Asks cargo, which has the sources of every dependency in its registry's folder.
pub fn packages() -> Packages {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["metadata", "--format-version", "1", "--offline", "--locked"]).current_dir(MANIFEST);
    let output = command.output().expect("cargo is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let text = |package: &serde_json::Value, key: &str| package[key].as_str().expect("a text").to_owned();
    let packages = metadata["packages"].as_array().expect("a list").iter().map(|package| {
        let folder = Path::new(&text(package, "manifest_path")).parent().expect("a folder").to_owned();
        (text(package, "name"), (text(package, "version"), folder))
    });
    packages.collect()
}

/// The size of sources, as a reviewer reads them.
#[derive(Default)]
struct Size {
    lines: usize,
    unsafes: usize,
}

impl Size {
    fn of(packages: &Packages, files: &[(&str, &[&str])]) -> Self {
        let mut size = Size::default();
        for (package, names) in files {
            for name in *names {
                let path = packages[*package].1.join(name);
                let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                size.add(text.parse().expect("Rust"));
            }
        }
        size
    }

    /// Adds a file: its lines with code, which are not blank, comments, documentation or tests.
    fn add(&mut self, file: TokenStream) {
        let mut lines = BTreeSet::new();
        self.walk(file, &mut lines);
        self.lines += lines.len();
    }

    fn walk(&mut self, tokens: TokenStream, lines: &mut BTreeSet<usize>) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = &trees[..];
        while let Some((first, after)) = rest.split_first() {
            rest = match rest {
                [TokenTree::Punct(_), TokenTree::Group(group), after @ ..]
                | [TokenTree::Punct(_), TokenTree::Punct(_), TokenTree::Group(group), after @ ..]
                    if is_documentation(group) =>
                {
                    after
                }
                [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(_), after @ ..]
                    if word == "mod" && ["tests", "test", "fuzz"].iter().any(|tests| name == tests) =>
                {
                    after
                }
                _ => {
                    self.step(first, lines);
                    after
                }
            };
        }
    }

    fn step(&mut self, tree: &TokenTree, lines: &mut BTreeSet<usize>) {
        match tree {
            TokenTree::Group(group) => {
                lines.extend([group.span_open().start().line, group.span_close().end().line]);
                self.walk(group.stream(), lines);
            }
            other => {
                self.unsafes += usize::from(matches!(other, TokenTree::Ident(word) if word == "unsafe"));
                lines.extend(other.span().start().line..=other.span().end().line);
            }
        }
    }
}

/// True for the attribute that a documentation comment is.
fn is_documentation(group: &Group) -> bool {
    let mut trees = group.stream().into_iter();
    let is_doc = matches!(trees.next(), Some(TokenTree::Ident(word)) if word == "doc");
    is_doc && matches!(trees.next(), Some(TokenTree::Punct(equals)) if equals.as_char() == '=')
}
