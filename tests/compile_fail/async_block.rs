fn main() {
    let (_completer, task) = whendone::task::<u32>(whendone::Inline);
    // Wrong: a callback is called, and nobody would await its return value.
    task.add_done_callback(|_task| async { println!("Task is done") });
}
