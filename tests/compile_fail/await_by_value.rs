struct Connection;

fn main() {
    whendone::run(async {
        let task = whendone::spawn(async { Connection });
        // Wrong: the await would clone the value, since there may be other handles.
        let _connection = task.await;
    });
}
