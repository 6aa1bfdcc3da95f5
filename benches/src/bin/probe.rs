//! Answers one question about one peer, with the system's allocator.

fn main() {
    whendone_bench::probe::answer();
}
