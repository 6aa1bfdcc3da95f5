//! The core laid down in a folder: fresh, again, edited, older.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use whendone_model::project::copy::folder_in_target;
use whendone_model::project::sources::{Core, core_digest};
use whendone_model::vendoring::changes::{since, states};
use whendone_model::vendoring::lay::{Destination, Wish};
use whendone_model::vendoring::record::Record;
use whendone_model::vendoring::template::Template;

const WISH: Wish = Wish { template: Template::Std, upgrade: false, kit: false };
const UPGRADE: Wish = Wish { upgrade: true, ..WISH };

fn empty(name: &str) -> PathBuf {
    let folder = folder_in_target(&format!("vendor-of-tests/{name}")).expect("writable");
    fs::remove_dir_all(&folder).expect("ours");
    folder
}

fn lay(folder: &Path, wish: Wish) -> Result<String, String> {
    Destination::read(folder)?.lay(wish)
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_fresh_copy_is_the_core_and_its_checksums_hold() {
    for template in Template::ALL {
        let folder = empty(&format!("fresh-{}", template.name()));
        let told = lay(&folder, Wish { template, ..WISH }).expect("laid");
        for (name, text) in Core::texts() {
            assert_eq!(read(&folder, name.trim_start_matches("src/")), *text);
        }
        assert_eq!(read(&folder, "sync.rs"), template.text());
        assert!(told.contains("#[rustfmt::skip]") && told.contains(template.dependencies()), "{told}");
        let record = Record::read(&folder).expect("well-formed").expect("there");
        assert_eq!((record.core, record.facade.as_str()), (Core::compiled().sha256, template.name()));
        let sums = Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&folder).output().expect("it runs");
        assert!(sums.status.success(), "{sums:?}");
    }
}

#[test]
fn the_digest_of_the_core_is_that_of_the_checksums() {
    let folder = empty("digest");
    lay(&folder, WISH).expect("laid");
    let sum = Command::new("sha256sum").arg("SHA256SUMS").current_dir(&folder).output().expect("it runs");
    let sum = String::from_utf8_lossy(&sum.stdout).into_owned();
    assert_eq!(sum.split(' ').next(), Some(Core::compiled().sha256.as_str()));
}

#[test]
fn a_second_time_changes_nothing_and_keeps_the_vendors_facade() {
    let folder = empty("again");
    lay(&folder, WISH).expect("laid");
    fs::write(folder.join("sync.rs"), "mine").expect("writable");
    let told = lay(&folder, WISH).expect("laid");
    assert!(told.contains("is up to date") && told.contains("your sync.rs is as it was"), "{told}");
    assert_eq!(read(&folder, "sync.rs"), "mine");
}

/// Nothing is written, also not by `--upgrade`, and the message says which files differ and how.
#[test]
fn an_edited_copy_is_refused() {
    let folder = empty("edited");
    lay(&folder, WISH).expect("laid");
    let (cell, queue) = (folder.join("kernel/cell.rs"), folder.join("kernel/queue.rs"));
    fs::write(&cell, read(&folder, "kernel/cell.rs").replace('\n', "\r\n")).expect("writable");
    let edited = read(&folder, "kernel/queue.rs").replace("FEW: usize = 8", "FEW: usize = 16");
    fs::write(&queue, &edited).expect("writable");
    for wish in [WISH, UPGRADE] {
        let error = lay(&folder, wish).expect_err("refused");
        assert!(
            error.contains("cell.rs differs in its line ends alone; queue.rs was edited, first in line"),
            "{error}"
        );
        assert_eq!(read(&folder, "kernel/queue.rs"), edited);
    }
    fs::remove_file(folder.join("VENDORED")).expect("there");
    let error = lay(&folder, UPGRADE).expect_err("refused");
    assert!(error.contains("there is no VENDORED beside it"), "{error}");
}

/// Makes an older copy: one file differs, and the record says that it was laid down so.
fn older(name: &str) -> PathBuf {
    let folder = empty(name);
    lay(&folder, WISH).expect("laid");
    let text = "// an older file\n";
    fs::write(folder.join("kernel/table.rs"), text).expect("writable");
    let mut record = Record::read(&folder).expect("well-formed").expect("there");
    let digest = whendone_model::project::sources::digest([text]);
    record.files.insert("kernel/table.rs".to_owned(), digest);
    record.core = core_digest(record.files.keys().map(|name| (name.clone(), read(&folder, name))));
    record.version = "0.0.9".to_owned();
    fs::write(folder.join("VENDORED"), record.text().expect("toml")).expect("writable");
    folder
}

#[test]
fn an_older_copy_is_replaced_by_an_upgrade_alone_and_an_unknown_one_is_said_to_be_unknown() {
    let folder = older("older");
    let error = lay(&folder, WISH).expect_err("not without --upgrade");
    assert!(error.contains("copy of version 0.0.9") && error.contains("--upgrade replaces"), "{error}");
    assert_eq!(read(&folder, "kernel/table.rs"), "// an older file\n");
    let told = lay(&folder, UPGRADE).expect("replaced");
    assert!(told.contains("that copy is unknown here"), "{told}");
    assert!(lay(&folder, WISH).expect("laid").contains("is up to date"));
}

/// The newest state is the core that ships, and each older one tells what has changed since.
#[test]
fn the_table_of_changes_begins_with_this_core() {
    let states = states().expect("well-formed");
    assert_eq!(
        states[0].digests,
        [Core::compiled().sha256],
        "add a state to model/vendor/kernel.toml, with its changes"
    );
    assert_eq!(since(&Core::compiled().sha256), Ok(Some(vec![])));
    assert_eq!(since("0"), Ok(None));
    let mut changes = 0;
    for state in &states {
        let told = since(&state.digests[0]).expect("well-formed").expect("known");
        assert_eq!(told.len(), changes, "{told:?}");
        changes += state.changes.len();
    }
    // The oldest change is told first.
    let all = since(&states[4].digests[0]).expect("well-formed").expect("known");
    assert!(all[0].starts_with("  P2, P19: `Cell::phase`"), "{all:?}");
}
