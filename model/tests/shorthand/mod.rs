//! Events by hand, as short texts: the thread, and what it does.
//!
//! `0[` begins the next call of thread 0, and `0]true` ends its innermost one with that answer. `0*a=v0` begins the call of
//! `a`, which sees v0, `0*a` one that sees nothing, and `0/a` ends it.

use whendone_model::observation::event::Event;
use whendone_model::observation::{Answer, HandOver};
use whendone_model::scenario::names::{Nonce, Part, Value};
use whendone_model::scenario::resolve::TaskStep;

/// For each thread the calls that have not begun, and those that have not ended; the last one is next.
pub struct Calls {
    next: Vec<Vec<TaskStep>>,
    open: Vec<Vec<TaskStep>>,
}

impl Calls {
    pub fn new(mut threads: Vec<Vec<TaskStep>>) -> Self {
        threads.iter_mut().for_each(|calls| calls.reverse());
        Calls { open: vec![Vec::new(); threads.len()], next: threads }
    }

    pub fn event(&mut self, text: &str) -> (usize, Event) {
        let (thread, rest) = text.split_at(1);
        let thread: usize = thread.parse().expect("a thread");
        let (kind, rest) = rest.split_at(1);
        let event = match kind {
            "[" => {
                let step = self.next[thread].pop().expect("it has another call");
                self.open[thread].push(step);
                Event::Begins(step)
            }
            "]" => Event::Ends(self.open[thread].pop().expect("a call is open"), answer(rest)),
            "*" => {
                let (name, saw) = rest.split_once('=').unwrap_or((rest, ""));
                Event::Enters(HandOver::new(nonce(name), value(saw)))
            }
            "/" => Event::Leaves(nonce(rest), Part::Call),
            _ => panic!("{text} is no event"),
        };
        (thread, event)
    }
}

pub fn nonce(name: &str) -> Nonce {
    usize::from(name.as_bytes()[0] - b'a')
}

fn value(name: &str) -> Option<Value> {
    name.strip_prefix('v').map(|number| Value::Finished(number.parse().expect("a number")))
}

fn answer(text: &str) -> Option<Answer> {
    match text {
        "" => None,
        "true" | "false" => Some(Answer::Did(text == "true")),
        "pending" => Some(Answer::Outcome(None)),
        "panicked" => Some(Answer::Panicked),
        _ => Some(text.parse().map_or(Answer::Outcome(value(text)), Answer::Count)),
    }
}
