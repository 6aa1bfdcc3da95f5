//! The templates of a facade, and the lines that a vendor pastes.

use clap::ValueEnum;
use std::path::Path;

/// The locks of a facade for which there is a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    Std,
    #[value(name = "parking_lot")]
    ParkingLot,
    Spin,
    CriticalSection,
    Loom,
}

/// The conformance kit, a file that needs std alone.
pub const KIT: &str = include_str!("../../vendor/conformance.rs");

impl Template {
    pub const ALL: [Template; 5] =
        [Template::Std, Template::ParkingLot, Template::Spin, Template::CriticalSection, Template::Loom];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Template::Std => "std",
            Template::ParkingLot => "parking_lot",
            Template::Spin => "spin",
            Template::CriticalSection => "critical-section",
            Template::Loom => "loom",
        }
    }

    /// The text of `sync.rs`.
    pub fn text(self) -> &'static str {
        match self {
            Template::Std => include_str!("../../vendor/sync/std.rs"),
            Template::ParkingLot => include_str!("../../vendor/sync/parking_lot.rs"),
            Template::Spin => include_str!("../../vendor/sync/spin.rs"),
            Template::CriticalSection => include_str!("../../vendor/sync/critical_section.rs"),
            Template::Loom => include_str!("../../vendor/sync/loom.rs"),
        }
    }

    /// The lines of `Cargo.toml` that it needs.
    pub fn dependencies(self) -> &'static str {
        match self {
            Template::Std => "",
            Template::ParkingLot => "[dependencies]\nparking_lot = \"0.12\"\n",
            Template::Spin => {
                "[dependencies]\n\
                 spin = { version = \"0.12\", default-features = false, features = [\"spin_mutex\", \"once\"] }\n"
            }
            Template::CriticalSection => {
                "[dependencies]\ncritical-section = \"1.2\"\n\
                 once_cell = { version = \"1.21\", default-features = false, features = [\"critical-section\"] }\n\n\
                 [dev-dependencies]\ncritical-section = { version = \"1.2\", features = [\"std\"] }\n"
            }
            Template::Loom => "[target.'cfg(loom)'.dependencies]\nloom = \"0.7\"\n",
        }
    }

    /// The oldest Rust for which the core and this facade compile, by the clippy of this project.
    pub fn needs(self) -> &'static str {
        match self {
            Template::Std | Template::ParkingLot | Template::Loom => "edition 2018 or later, Rust 1.71 or later, std",
            Template::Spin | Template::CriticalSection => "edition 2018 or later, Rust 1.71 or later, alloc",
        }
    }
}

/// The lines to paste into the module whose folder has `folder`, with the kit if it was laid down.
pub fn module(folder: &Path, has_kit: bool) -> String {
    let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().replace('-', "_"));
    let kit = "    #[cfg(test)]\n    #[rustfmt::skip]\n    #[allow(clippy::all, clippy::pedantic, dead_code, unexpected_cfgs)]\n    mod conformance;\n";
    let kit = if has_kit { kit } else { "" };
    format!(
        "mod {name} {{\n{kit}    #[rustfmt::skip] // The files stay as they are, byte for byte.\n    \
         #[allow(clippy::all, clippy::pedantic, dead_code, unreachable_pub, unused_imports)]\n    \
         pub mod kernel;\n    mod sync;\n}}\n"
    )
}
