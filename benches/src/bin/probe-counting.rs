//! Answers as `probe` does, with an allocator that counts.

use whendone_bench::allocations::Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() {
    whendone_bench::probe::answer();
}
