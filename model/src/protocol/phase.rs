//! The phases of the kernel's protocol, from the very file that ships.

#[allow(dead_code, rustdoc::broken_intra_doc_links)]
#[path = "../../../src/kernel/table.rs"]
pub(crate) mod table;

pub use table::{Answer, Phase};
