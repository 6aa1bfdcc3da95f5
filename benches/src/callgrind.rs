//! The counts of callgrind: instructions, and atomics among them.

use iced_x86::{Decoder, DecoderOptions, Mnemonic, OpKind};
use object::{Object, ObjectSegment};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{env, fs, io, process};

/// Executed instructions.
pub struct Counted {
    pub instructions: u64,
    /// Atomic read-modify-writes. None on a processor whose code is not decoded here. Atomic loads and
    /// most atomic stores are ordinary instructions and cannot be recognised.
    pub atomics: Option<u64>,
}

/// The message if callgrind is missing.
pub const NO_VALGRIND: &str =
    "valgrind is not installed, so no instructions are counted; install it, e.g. with `apt install valgrind`";

/// True if callgrind is installed.
pub fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The setting under which instructions are counted. By default glibc keeps seven freed blocks of a size at hand, and each
/// further one takes a slower path: a row would jump with the number of its callbacks and with their size class. With this
/// setting it keeps all blocks of a batch.
pub const TUNABLES: [&str; 2] = ["GLIBC_TUNABLES", "glibc.malloc.tcache_count=2000"];

/// Counts what a program does in the batches of its [`Meter`](super::meter::Meter), and returns its answer, too. `name` tells
/// measurements apart that run at the same time.
///
/// # Errors
///
/// If `run` fails, or nothing was counted.
pub fn count<A>(name: &str, program: &str, run: impl FnOnce(Command) -> io::Result<A>) -> io::Result<(A, Counted)> {
    let out = env::temp_dir().join(format!("{}-{name}", process::id()).replace(['/', ' '], "-"));
    let mut command = command("*meter*collected*", &out, program);
    command.env(TUNABLES[0], TUNABLES[1]);
    let answer = run(command)?;
    let counted = read(&out);
    fs::remove_file(&out)?;
    Ok((answer, counted?))
}

/// Returns a command that counts the instructions within functions of this name; [`read`] reads the counts.
fn command(functions: &str, out: &Path, program: &str) -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--quiet", "--dump-instr=yes", "--compress-strings=no", "--compress-pos=no"]);
    command.arg(format!("--toggle-collect={functions}")).arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(program);
    command
}

/// Adds up the counts that callgrind wrote: lines of address, source line and count, grouped by object file.
///
/// # Errors
///
/// If it wrote nothing, or an object file cannot be read.
fn read(out: &Path) -> io::Result<Counted> {
    let text = fs::read_to_string(out)?;
    let (mut objects, mut object, mut lines) = (BTreeMap::<_, Vec<_>>::new(), "", text.lines());
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("ob=") {
            object = name;
        } else if line.starts_with("calls=") {
            // The next line is the cost of the call, which is also counted in the called function.
            lines.next();
        } else if let Some(counted) = line.strip_prefix("0x").and_then(counted) {
            objects.entry(object).or_default().push(counted);
        }
    }
    let instructions = objects.values().flatten().map(|(_, count)| count).sum();
    if instructions == 0 {
        return Err(io::Error::other("callgrind counted nothing"));
    }
    let atomics = || objects.iter().map(|(object, counted)| atomics(object, counted)).sum();
    Ok(Counted { instructions, atomics: cfg!(target_arch = "x86_64").then(atomics).transpose()? })
}

/// An address, and how often the instruction there was executed.
fn counted(line: &str) -> Option<(u64, u64)> {
    let mut parts = line.split(' ');
    let address = u64::from_str_radix(parts.next()?, 16).ok()?;
    Some((address, parts.nth(1)?.parse().ok()?))
}

fn atomics(object: &str, counted: &[(u64, u64)]) -> io::Result<u64> {
    const LONGEST: u64 = 15;
    let file = fs::read(object).map_err(|error| io::Error::other(format!("{object}: {error}")))?;
    let file = object::File::parse(&*file).map_err(io::Error::other)?;
    let code = |address| {
        let here = |length| file.segments().find_map(|segment| segment.data_range(address, length).ok().flatten());
        (1..=LONGEST).rev().find_map(here)
    };
    let mut atomics = 0;
    for &(address, count) in counted {
        let code = code(address).ok_or_else(|| io::Error::other(format!("{object} has no code at {address:x}")))?;
        atomics += if is_atomic(code) { count } else { 0 };
    }
    Ok(atomics)
}

/// With a lock prefix, or an exchange with memory, which needs none.
fn is_atomic(code: &[u8]) -> bool {
    let instruction = Decoder::new(64, code, DecoderOptions::NONE).decode();
    let is_in_memory = instruction.op_kinds().any(|kind| kind == OpKind::Memory);
    instruction.has_lock_prefix() || instruction.mnemonic() == Mnemonic::Xchg && is_in_memory
}

#[test]
fn lock_prefixes_and_exchanges_with_memory_are_atomic() {
    for atomic in
        [&[0xf0, 0x41, 0x0f, 0xb1, 0x4d, 0x28][..], &[0x87, 0x07], &[0x41, 0x86, 0x06], &[0xf0, 0x48, 0xff, 0x07]]
    {
        assert!(is_atomic(atomic), "{atomic:x?}");
    }
    // An exchange of registers, a compare-and-exchange that is not locked, a store, nothing.
    for plain in [&[0x87, 0xc7][..], &[0x0f, 0xb1, 0x0f], &[0x48, 0x89, 0x07], &[]] {
        assert!(!is_atomic(plain), "{plain:x?}");
    }
}
