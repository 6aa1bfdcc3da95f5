//! A history: the operations of an execution with the times at which they were called and returned.

use super::Answer;
use super::event::Event;
use crate::scenario::Scenario;
use crate::scenario::names::letter;
use crate::scenario::resolve::Step;
use std::fmt;

/// One execution of a scenario: who did what, in the order of the tickets. What the threads leave in the end to be served
/// is behind them, as a thread of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    pub scenario: Scenario,
    pub acts: Vec<(usize, Event)>,
}

/// A row of the table: something that began, and what it ended with.
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
        for (at, &(thread, ref act)) in self.acts.iter().enumerate() {
            match act {
                Event::Begins((_, step)) => {
                    let op = self.scenario.threads.get(thread).and_then(|ops| ops.get(calls[thread]));
                    calls[thread] += 1;
                    let name = match step {
                        Step::Add { nonce, .. } | Step::Poll(nonce) => format!(" = {}", letter(*nonce)),
                        _ => String::new(),
                    };
                    let what = op.map_or_else(String::new, |op| format!("{op}{name}"));
                    rows.push(Row { thread, what, begin: at, end: None, answer: String::new() });
                }
                Event::Enters(hand_over) => {
                    let answer = hand_over.saw.map_or_else(String::new, |saw| format!("saw {saw}"));
                    rows.push(Row {
                        thread,
                        what: format!("* {}", letter(hand_over.nonce)),
                        begin: at,
                        end: None,
                        answer,
                    });
                }
                Event::Ends(..) | Event::Leaves(..) => {
                    let open = rows.iter_mut().rev().find(|row| row.thread == thread && row.end.is_none());
                    let answer =
                        if let Event::Ends(_, answer) = act { answer.as_ref().map(Answer::to_string) } else { None };
                    open.into_iter().for_each(|row| {
                        row.end = Some(at);
                        row.answer.extend(answer.clone());
                    });
                }
                _ => {}
            }
        }
        rows
    }
}

/// A row for each call and hand-over: `T1  A = c  12  15`. A star is a hand-over.
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
