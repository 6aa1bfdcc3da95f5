//! The tables of `SOUNDNESS.md`, which are computed from the tree: what supports each property, what must be
//! trusted, and what green runs print.
//!
//! A scenario does not meet this folder: it looks at the evidence as an auditor does.

pub mod commands;
mod evidence;
mod figures;
mod trusted;

use std::path::Path;
use std::{fs, iter};

/// The page, by its path from the root of the project.
pub const PAGE: &str = "SOUNDNESS.md";

/// Marks where a table begins, with its name, and where it ends.
const BEGIN: &str = "<!-- cargo verify soundness: ";
const END: &str = "<!-- end -->";

/// The tables, by name.
///
/// # Errors
///
/// If a file of the project cannot be read, or if a property has no evidence at all.
pub fn tables(root: &Path) -> Result<[(&'static str, String); 4], String> {
    Ok([
        ("properties", evidence::matrix(root)?),
        ("boundary", evidence::boundary(root)?),
        ("trusted", trusted::lines(root)?),
        ("figures", figures::figures(root)?),
    ])
}

/// The page with these tables in place of the ones that it has.
///
/// # Errors
///
/// If the page lacks the place for a table.
pub fn rewritten(page: &str, tables: &[(&str, String)]) -> Result<String, String> {
    tables.iter().try_fold(page.to_owned(), |page, (name, table)| {
        let begin = format!("{BEGIN}{name} -->\n");
        let parts = page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
        let (before, (_, after)) = parts.ok_or(format!("{PAGE} lacks the lines `{}` and `{END}`", begin.trim_end()))?;
        Ok(format!("{before}{begin}\n{table}\n{END}{after}"))
    })
}

/// The differences between the page and the tree: lines of tables that are stale, and commands of the pages that do not
/// exist.
///
/// # Errors
///
/// If a page cannot be read or lacks the place for a table, or if a property has no evidence.
pub fn differences(root: &Path, parsed: impl Fn(&[String]) -> Result<(), String>) -> Result<Vec<String>, String> {
    let page = read(root, PAGE)?;
    let anew = rewritten(&page, &tables(root)?)?;
    let stale = anew.lines().zip(page.lines().chain(iter::repeat(""))).filter(|(new, old)| new != old);
    let stale = stale.map(|(new, _)| format!("{PAGE} lacks: {new}"));
    let pages = [PAGE, "README.md", "docs/VERIFICATION.md"];
    let unknown = pages.iter().map(|name| {
        let unknown = commands::unknown(root, &read(root, name)?, &parsed);
        Ok(unknown
            .into_iter()
            .map(|command| format!("{name} names a command that does not exist: {command}"))
            .collect())
    });
    let unknown: Vec<Vec<_>> = unknown.collect::<Result<_, String>>()?;
    Ok(stale.chain(unknown.into_iter().flatten()).collect())
}

/// Writes the tables into the page.
///
/// # Errors
///
/// As [`differences`], and if the page cannot be written.
pub fn write(root: &Path) -> Result<(), String> {
    let anew = rewritten(&read(root, PAGE)?, &tables(root)?)?;
    fs::write(root.join(PAGE), anew).map_err(|error| format!("{PAGE}: {error}"))
}

fn read(root: &Path, file: &str) -> Result<String, String> {
    fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::rewritten;

    #[test]
    fn a_table_replaces_the_old_one_and_nothing_else() {
        let page = "a\n<!-- cargo verify soundness: t -->\nold\n<!-- end -->\nb\n";
        let anew = rewritten(page, &[("t", "new\n".to_owned())]).expect("it has the place");
        assert_eq!(anew, "a\n<!-- cargo verify soundness: t -->\n\nnew\n\n<!-- end -->\nb\n");
        assert_eq!(rewritten(&anew, &[("t", "new\n".to_owned())]), Ok(anew));
    }

    #[test]
    fn a_page_without_the_place_is_an_error() {
        let error = rewritten("a\n", &[("t", String::new())]).expect_err("it has no place");
        assert!(error.contains("soundness: t"), "{error}");
    }
}
