//! A history, in the sense of linearizability: the operations of an execution with the times of their calls and returns.

use super::event::Event;
use crate::scenario::Scenario;
use crate::scenario::names::letter;
use crate::scenario::resolve::Step;
use std::fmt;

/// One execution of a scenario: the events of each thread in the order of their tickets. Callbacks that the threads leave
/// in the queue are served by one more thread, numbered after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    pub scenario: Scenario,
    pub events: Vec<(usize, Event)>,
}

/// A row of the table: an operation or a hand-over, with its answer.
struct Row {
    thread: usize,
    what: String,
    begin: usize,
    end: Option<usize>,
    answer: String,
}

impl History {
    fn rows(&self) -> Vec<Row> {
        let mut calls = vec![0; self.scenario.threads.len() + 1];
        let mut rows: Vec<Row> = Vec::new();
        for (at, &(thread, ref event)) in self.events.iter().enumerate() {
            let (what, answer) = match event {
                Event::Begins((_, step)) => {
                    calls[thread] += 1;
                    (self.operation(thread, calls[thread] - 1, *step), String::new())
                }
                Event::Enters(hand_over) => {
                    let answer = hand_over.saw.map_or_else(String::new, |saw| format!("saw {saw}"));
                    (format!("* {}", letter(hand_over.nonce)), answer)
                }
                Event::Ends(..) | Event::Leaves(..) => {
                    let open = rows.iter_mut().rev().find(|row| row.thread == thread && row.end.is_none());
                    if let Some(row) = open {
                        row.end = Some(at);
                        row.answer.extend(if let Event::Ends(_, answer) = event {
                            answer.map(|answer| answer.to_string())
                        } else {
                            None
                        });
                    }
                    continue;
                }
                _ => continue,
            };
            rows.push(Row { thread, what, begin: at, end: None, answer });
        }
        rows
    }

    /// The operation as the scenario has it, with the callback's name: `A = c`.
    fn operation(&self, thread: usize, call: usize, step: Step) -> String {
        let name = match step {
            Step::Add { nonce, .. } | Step::Poll(nonce) | Step::PollAgain(nonce) => format!(" = {}", letter(nonce)),
            _ => String::new(),
        };
        let op = self.scenario.threads.get(thread).and_then(|ops| ops.get(call));
        op.map_or_else(String::new, |op| format!("{op}{name}"))
    }
}

/// One row for each call and each hand-over: `T1  A = c  12  15`. A star marks a hand-over.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let width = rows.iter().map(|row| row.what.len()).max().unwrap_or(0).max("operation".len());
        write!(f, "{:>6}  {:<width$}  {:>5}  {:>5}  answer", "thread", "operation", "begin", "end")?;
        for Row { thread, what, begin, end, answer } in rows {
            let end = end.map_or("-".to_owned(), |end| end.to_string());
            write!(f, "\n{:>6}  {what:<width$}  {begin:>5}  {end:>5}  {answer}", format!("T{thread}"))?;
        }
        Ok(())
    }
}
