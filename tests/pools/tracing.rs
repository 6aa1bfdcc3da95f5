//! The exception hook of the process, with `tracing` behind it: each report becomes an event with fields.

use std::fmt::Debug;
use std::sync::{Arc, mpsc};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};
use whendone::{Report, Serial};
use whendone_pools::on_each_pool;

/// Passes a report on as an error event, with the fields that one searches by.
fn trace(report: &Report) {
    let origin = report.callback.map(|origin| origin.to_string());
    let (task, panic) = (report.task.as_deref(), report.panic.as_ref().map(|panic| panic.message()));
    tracing::error!(target: "whendone", task, callback = origin, panic, "{}", report.failure);
}

/// The fields of an event, in order.
type Fields = Vec<(&'static str, String)>;

/// Keeps what it is told. An application takes the subscriber of tracing-subscriber here.
struct Told(mpsc::Sender<(Level, Fields)>);

impl Subscriber for Told {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "whendone"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Visited::default();
        event.record(&mut fields);
        self.0.send((*event.metadata().level(), fields.0)).unwrap();
    }
}

#[derive(Default)]
struct Visited(Fields);

impl Visit for Visited {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }
}

#[test]
fn a_callback_that_panics_on_an_executor_is_an_event_of_tracing() {
    let (sender, events) = mpsc::channel();
    // Of the whole process: the hook runs on the executor's threads.
    tracing::subscriber::set_global_default(Told(sender)).unwrap();
    whendone::set_exception_hook(trace).ok().expect("set once");
    on_each_pool(2, |pool, scheduler| {
        let (completer, task) = whendone::task_named(pool, Arc::new(Serial::new(scheduler)));
        task.add_done_callback(|_| panic!("no luck"));
        completer.complete(3).unwrap();
        let (level, fields) = events.recv().unwrap();
        let field = |name| fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str()).unwrap();
        assert_eq!(level, Level::ERROR);
        assert_eq!(field("message"), "exception in callback");
        assert_eq!(field("panic"), "no luck");
        assert_eq!(field("task"), format!("<Task finished name='{pool}'>"));
        assert!(field("callback").contains("tracing.rs"), "{}", field("callback"));
    });
}
