//! The lines of the source files that an execution passes.

use super::steps::SourceLine;
use crate::observation::event::Place;
use crate::project::copy::project;
use std::collections::BTreeMap;
use std::fs;

/// The files that were read, by the paths that the compiler had.
#[derive(Default)]
pub struct Sources(BTreeMap<&'static str, String>);

impl Sources {
    /// The lines at these places, each once.
    pub fn lines(&mut self, places: Vec<Place>) -> Vec<SourceLine> {
        let mut lines: Vec<SourceLine> = places.into_iter().map(|place| self.line(place)).collect();
        lines.dedup();
        lines
    }

    /// The line at a place; without its text if the file is gone.
    fn line(&mut self, place: Place) -> SourceLine {
        let file = place.file();
        // A path from the root of the project, or the whole path of a file with a seeded bug.
        let text = self.0.entry(file).or_insert_with(|| fs::read_to_string(project().join(file)).unwrap_or_default());
        let line = usize::try_from(place.line()).unwrap_or_default();
        let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim().to_owned();
        SourceLine { place: format!("{}:{line}", short(file)), text }
    }
}

/// The path from the root of the project: `model/src/engines/loom/../../../../src/kernel/cell.rs` is
/// `src/kernel/cell.rs`, and so is the copy with a seeded bug.
fn short(file: &str) -> String {
    if let Some((_, planted)) = file.rsplit_once("/mutants/").and_then(|(_, planted)| planted.split_once('/')) {
        return planted.to_owned();
    }
    let mut folders = Vec::new();
    for folder in file.split('/') {
        if folder == ".." {
            folders.pop();
        } else {
            folders.push(folder);
        }
    }
    folders.join("/")
}
