use std::cell::Cell;
use whendone::{SharedCallback, Task};

fn main() {
    let times = Cell::new(0);
    // Wrong: several threads may call it at once.
    let _count = SharedCallback::new(move |_: &Task<u32>| times.set(times.get() + 1));
}
