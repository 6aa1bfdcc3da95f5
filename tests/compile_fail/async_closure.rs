fn main() {
    let (_completer, task) = whendone::task::<u32>(whendone::Inline);
    // Wrong: a callback is called, and nobody would await what it returns.
    task.add_done_callback(async |_task| { println!("Task is done") });
}
