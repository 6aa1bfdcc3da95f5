//! The project as data, apart from the way of a scenario: sources with their digest, copies, vendored cores, seeded bugs.

pub mod compare;
pub mod copy;
pub mod files;
pub mod origin;
pub mod page;
pub mod provenance;
pub mod sources;
pub mod table;
pub mod vendored;
