fn main() {
    let (_completer, task) = whendone::task::<u32>(whendone::Inline);
    let name = std::rc::Rc::new("job");
    // Wrong: any thread may run it.
    task.add_done_callback(move |_| println!("{name} is done"));
}
