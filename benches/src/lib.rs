//! The costs of whendone, beside its peers.
//!
//! Follow one measurement. A harness (`benches/`) asks for rows ([`scenarios`]) and starts one
//! process for each ([`probe`], under [`callgrind`] too); there a scenario drives a peer ([`peers`], listed in the [`registry`]) and the [`meter`]
//! measures it. Every callback checks that it runs once, in its turn, with the value ([`check`]).
//!
//! * `cargo bench -p whendone-bench --bench peers`: all scenarios, all peers; `-- --quick`, `-- S1 "S4 n=64" --peer tokio`.
//! * `cargo bench --bench instructions`: figures that repeat, for whendone and its yardsticks; with
//!   `-- --check` the [`gate`], which `-- --accept` moves. Time never gates. `-- --costs` writes the page
//!   `benches/COSTS.md`.
//! * `cargo bench --bench scale`: large sizes, and the hand-over to a loop. `-- --page` writes the page
//!   `benches/SCALE.md`.
//!
//! Instructions need valgrind, system calls strace. The reasons on the pages are fixed text, in `benches/text`.

pub mod allocations;
pub mod awaits;
pub mod callgrind;
pub mod check;
pub mod costs;
pub mod floors;
pub mod free_list;
pub mod gate;
pub mod goals;
pub mod growth;
pub mod lock_sections;
pub mod meter;
pub mod peers;
pub mod probe;
pub mod registry;
pub mod removals;
pub mod rows;
pub mod scenarios;
pub mod table;
pub mod threads;
pub mod times;
pub mod within;
