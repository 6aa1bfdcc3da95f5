//! The source files that were compiled: the verified core, all others that executions depend on, and their digests.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A file: its path from the root of the project, and its text when this crate was compiled.
pub type Source = (&'static str, &'static str);

macro_rules! sources {
    ($($file:literal),* $(,)?) => { &[$(($file, include_str!(concat!(env!("WHENDONE_ROOT"), "/", $file)))),*] };
}

/// The verified core.
const CORE: &[Source] = sources![
    "src/kernel/cell.rs",
    "src/kernel/drain.rs",
    "src/kernel/mod.rs",
    "src/kernel/queue.rs",
    "src/kernel/table.rs",
];

/// The files that determine the order of executions, besides the verified core, loom and shuttle.
pub const SOURCES: &[Source] = sources![
    "model/src/engines/catalog.rs",
    "model/src/engines/defects.rs",
    "model/src/engines/futex/choice.rs",
    "model/src/engines/futex/engine.rs",
    "model/src/engines/futex/explore.rs",
    "model/src/engines/futex/fault.rs",
    "model/src/engines/futex/mod.rs",
    "model/src/engines/futex/mutex.rs",
    "model/src/engines/futex/once.rs",
    "model/src/engines/futex/plain.rs",
    "model/src/engines/futex/sync.rs",
    "model/src/engines/futex/system.rs",
    "model/src/engines/loom/atomic.rs",
    "model/src/engines/loom/explore.rs",
    "model/src/engines/loom/mod.rs",
    "model/src/engines/loom/mutex.rs",
    "model/src/engines/loom/sync.rs",
    "model/src/engines/mod.rs",
    "model/src/engines/observed.rs",
    "model/src/engines/player/bench.rs",
    "model/src/engines/player/mod.rs",
    "model/src/engines/player/naps.rs",
    "model/src/engines/player/on_kernel.rs",
    "model/src/engines/player/on_loop.rs",
    "model/src/engines/player/on_task.rs",
    "model/src/engines/record/mod.rs",
    "model/src/engines/record/monitor.rs",
    "model/src/engines/record/recorder.rs",
    "model/src/engines/record/tickets.rs",
    "model/src/engines/sections/clients.rs",
    "model/src/engines/sections/engine.rs",
    "model/src/engines/sections/estimate.rs",
    "model/src/engines/sections/explore.rs",
    "model/src/engines/sections/ledger.rs",
    "model/src/engines/sections/lockstep.rs",
    "model/src/engines/sections/machine.rs",
    "model/src/engines/sections/mod.rs",
    "model/src/engines/sections/places.rs",
    "model/src/engines/sections/spread.rs",
    "model/src/engines/sections/sync.rs",
    "model/src/engines/sections/world.rs",
    "model/src/engines/shared/arc.rs",
    "model/src/engines/shared/channel.rs",
    "model/src/engines/shared/event_loop.rs",
    "model/src/engines/shared/locks.rs",
    "model/src/engines/shared/primitives.rs",
    "model/src/engines/shuttle/engine.rs",
    "model/src/engines/shuttle/explore.rs",
    "model/src/engines/shuttle/mod.rs",
    "model/src/engines/shuttle/sync.rs",
    "model/src/scenario/mod.rs",
    "model/src/scenario/names.rs",
    "model/src/scenario/parse.rs",
    "model/src/scenario/poll_script.rs",
    "model/src/scenario/print.rs",
    "model/src/scenario/resolve.rs",
    "model/src/scenario/validate.rs",
    "src/callback.rs",
    "src/completer.rs",
    "src/event_loop/current.rs",
    "src/event_loop/entry.rs",
    "src/event_loop/fused.rs",
    "src/event_loop/handle.rs",
    "src/event_loop/mod.rs",
    "src/event_loop/name.rs",
    "src/event_loop/run.rs",
    "src/event_loop/state.rs",
    "src/event_loop/task.rs",
    "src/event_loop/timers.rs",
    "src/hook.rs",
    "src/id.rs",
    "src/identity.rs",
    "src/outcome.rs",
    "src/panic.rs",
    "src/quote.rs",
    "src/report.rs",
    "src/schedule.rs",
    "src/serial.rs",
    "src/task.rs",
    "src/trampoline.rs",
    "src/wait.rs",
    "src/waiter.rs",
];

/// The version of loom, on which the number of an execution depends.
pub const LOOM: &str = "0.7.3";

/// The version of shuttle, on which the meaning of a schedule depends.
pub const SHUTTLE: &str = "0.9.9";

/// The identity of a core: its files, their digest, its size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Core {
    pub files: Vec<String>,
    /// The digest of the list of the files' digests, see [`core_digest`].
    pub sha256: String,
    pub code_lines: usize,
}

impl Core {
    /// The files of the core that was compiled.
    pub fn texts() -> &'static [Source] {
        CORE
    }

    /// The core that was compiled.
    pub fn compiled() -> Self {
        Core {
            files: CORE.iter().map(|(name, _)| (*name).to_owned()).collect(),
            sha256: core_digest(CORE.iter().map(|(name, text)| (name.trim_start_matches("src/").to_owned(), text))),
            code_lines: CORE.iter().map(|(_, text)| code_lines(text)).sum(),
        }
    }
}

/// A digest of everything on which the number of an execution depends.
pub fn sources_digest() -> [u8; 4] {
    let texts = SOURCES.iter().map(|(_, text)| *text);
    first_bytes(texts.chain([Core::compiled().sha256.as_str(), LOOM, SHUTTLE]))
}

/// The path of a file of the core in the folder that has `kernel`.
pub fn core_name(name: &str) -> String {
    format!("kernel/{name}")
}

/// The lines that `sha256sum` prints for these files, of which the names are given in order.
pub fn sums<N: AsRef<str>, T: AsRef<[u8]>>(files: impl IntoIterator<Item = (N, T)>) -> String {
    files.into_iter().map(|(name, text)| format!("{}  {}\n", digest([text]), name.as_ref())).collect()
}

/// The digest of a core: that of its [`sums`], so that text cannot move from one file to the next unseen. The command
/// `sha256sum kernel/*.rs | sha256sum` prints it, too.
pub fn core_digest<N: AsRef<str>, T: AsRef<[u8]>>(files: impl IntoIterator<Item = (N, T)>) -> String {
    digest([sums(files)])
}

/// The digest of the texts' concatenation, in hexadecimal.
pub fn digest<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> String {
    HEXLOWER.encode(&first_bytes::<32, T>(texts))
}

/// The first bytes of the digest of the texts' concatenation.
pub fn first_bytes<const N: usize, T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> [u8; N] {
    let mut digest = Sha256::new();
    texts.into_iter().for_each(|text| digest.update(text));
    let digest = digest.finalize();
    std::array::from_fn(|at| digest[at])
}

/// Counts the lines that are neither blank nor comments.
pub fn code_lines(text: &str) -> usize {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}
