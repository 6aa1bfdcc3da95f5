use std::cell::Cell;

fn main() {
    let (_completer, task) = whendone::task::<Cell<u32>>(whendone::Inline);
    // Wrong: the callback may read the value on another thread.
    task.add_done_callback(|task| println!("{task:?}"));
}
