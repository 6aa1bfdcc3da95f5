fn main() {
    let (_completer, task) = whendone::task::<u32>(whendone::Inline);
    // Wrong: a task is completed by its completer.
    task.complete(3);
}
