fn main() {
    let (_completer, task) = whendone::task::<u32>(whendone::Inline);
    let name = String::from("job");
    // Wrong: it may run when the name is gone.
    task.add_done_callback(|_| println!("{name} is done"));
}
