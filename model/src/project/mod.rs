//! The files of the project as data: the sources with their digest, copies of the tree, a vendored core, the seeded bugs.

pub mod copy;
pub mod mutants;
pub mod sources;
pub mod vendored;
