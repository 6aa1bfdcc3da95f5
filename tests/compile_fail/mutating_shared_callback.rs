use whendone::{SharedCallback, Task};

fn main() {
    let mut runs = vec![];
    // Wrong: it can be called again, on several threads at once.
    let _tell = SharedCallback::new(move |task: &Task<u32>| runs.push(task.is_done()));
}
