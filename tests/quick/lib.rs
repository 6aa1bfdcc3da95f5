//! Tests of `src` that compile in seconds, for seeded bugs of files that no engine compiles.
//!
//! `cargo test -p whendone-quick --test task --test event_loop` runs some; `model/src/project/table.rs` names them all.
