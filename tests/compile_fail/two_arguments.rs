fn main() {
    let (_completer, task) = whendone::task::<u32>(whendone::Inline);
    // Wrong: a callback is passed its task and nothing else.
    task.add_done_callback(|_task, _context| println!("Task is done"));
}
