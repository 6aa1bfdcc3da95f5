//! The parts that a whole body of evidence has, each with the command that leaves it.

/// Commands that `cargo verify record` runs, as parts of the evidence.
pub const RECORDED: [&str; 4] = ["asyncio", "fuzz", "coverage", "benches"];

/// A part that must be there.
pub struct Expected {
    pub name: &'static str,
    pub what: &'static str,
    pub command: &'static str,
}

/// All parts, in the order of the report.
pub const EXPECTED: [Expected; 10] = [
    Expected { name: "verify", what: "the closed world", command: "cargo verify" },
    Expected { name: "deep", what: "the deep run", command: "cargo verify --deep" },
    Expected { name: "mutants", what: "the seeded bugs", command: "cargo verify mutants" },
    Expected { name: "proof", what: "the proofs", command: "cargo verify proof" },
    Expected { name: "blind-spots", what: "the blind spots of the tools", command: "cargo verify blind-spots" },
    Expected { name: "stress", what: "a sample of larger programs", command: "cargo verify stress" },
    Expected {
        name: "asyncio",
        what: "the comparison with CPython",
        command: "cargo verify record asyncio -- cargo test --test asyncio",
    },
    Expected {
        name: "fuzz",
        what: "fuzzing",
        command: "cargo verify record fuzz -- cargo +nightly fuzz run queue -- -max_total_time=60",
    },
    Expected {
        name: "coverage",
        what: "the coverage of the core",
        command: "cargo verify record coverage -- .ci/coverage",
    },
    Expected {
        name: "benches",
        what: "the costs",
        command: "cargo verify record benches -- cargo bench --bench instructions -- --check",
    },
];
