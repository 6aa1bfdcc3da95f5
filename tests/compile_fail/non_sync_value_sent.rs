use std::cell::Cell;

fn main() {
    let (completer, task) = whendone::task::<Cell<u32>>(whendone::Inline);
    // Wrong: both threads could read the value at once.
    std::thread::spawn(move || completer.complete(Cell::new(3)));
    println!("{}", task.is_done());
}
