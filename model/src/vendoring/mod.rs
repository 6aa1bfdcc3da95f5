//! The way of a vendor: the core laid down in his crate, its record, its upgrade, and his facade under test.

pub mod changes;
pub mod conformance;
pub mod lay;
pub mod package;
pub mod record;
pub mod statement;
pub mod template;
