fn main() {
    let (_completer, task) = whendone::task::<u32>(whendone::Inline);
    // Wrong: it cannot be called.
    task.add_done_callback(3);
}
