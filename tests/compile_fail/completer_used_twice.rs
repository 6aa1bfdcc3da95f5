fn main() {
    let (completer, _task) = whendone::task(whendone::Inline);
    let _ = completer.complete(1);
    // Wrong: completing has consumed the completer.
    let _ = completer.complete(2);
}
