fn main() {
    let (_completer, task) = whendone::task::<u32>(whendone::Inline);
    // Wrong: a callback is passed its task.
    task.add_done_callback(|| println!("Task is done"));
}
