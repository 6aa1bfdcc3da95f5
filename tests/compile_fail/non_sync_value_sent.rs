use std::cell::Cell;

fn main() {
    let (completer, task) = whendone::task::<Cell<u32>>(whendone::Inline);
    // Wrong: this thread could look at the value while that one does.
    std::thread::spawn(move || completer.complete(Cell::new(3)));
    println!("{}", task.is_done());
}
