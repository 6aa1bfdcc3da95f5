fn main() {
    let (completer, _task) = whendone::task::<u32>(whendone::Inline);
    // Wrong: there is one completer.
    let _ = completer.clone().complete(3);
}
