//! What was compiled: the verified core's files, their digest and their size.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Read when this crate was compiled, like the core itself.
const FILES: [(&str, &str); 5] = [
    ("src/kernel/cell.rs", include_str!("../../src/kernel/cell.rs")),
    ("src/kernel/drain.rs", include_str!("../../src/kernel/drain.rs")),
    ("src/kernel/mod.rs", include_str!("../../src/kernel/mod.rs")),
    ("src/kernel/queue.rs", include_str!("../../src/kernel/queue.rs")),
    ("src/kernel/table.rs", include_str!("../../src/kernel/table.rs")),
];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Core {
    pub files: Vec<String>,
    /// Of all files, one after the other.
    pub sha256: String,
    pub code_lines: usize,
}

impl Core {
    /// The files by name, and what is in them.
    pub fn texts() -> [(&'static str, &'static str); 5] {
        FILES
    }

    pub fn compiled() -> Self {
        Core {
            files: FILES.iter().map(|(name, _)| (*name).to_owned()).collect(),
            sha256: digest(FILES.map(|(_, text)| text)),
            code_lines: FILES.iter().map(|(_, text)| code_lines(text)).sum(),
        }
    }
}

/// Of texts or of files, one after the other.
pub fn digest<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> String {
    let mut digest = Sha256::new();
    texts.into_iter().for_each(|text| digest.update(text));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lines that are neither blank nor comment.
pub fn code_lines(text: &str) -> usize {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}
