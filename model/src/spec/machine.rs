//! The state of an interleaving: each task's cell, and the rest of the work of each agent.

use super::cell::Spec;
use crate::observation::{Answer, HandOver, Observation, Told};
use crate::scenario::names::{Nonce, Part, Task};
use std::collections::VecDeque;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Machine {
    pub(super) tasks: Vec<TaskState>,
    pub(super) agents: Vec<Agent>,
    /// The scheduler's queue.
    pub(super) line: VecDeque<Nonce>,
    /// The signals given.
    pub(super) raised: Vec<u8>,
    /// The calls, clones and drops that have begun and not ended.
    pub(super) inside: Vec<(Nonce, Part)>,
    /// Whether the scheduler has been called.
    pub(super) has_scheduled: bool,
    pub(crate) shown: Observation,
}

/// The cell of a task, the number of its callbacks handed over, and whether an agent drains it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct TaskState {
    pub(super) cell: Spec,
    pub(super) handed: usize,
    pub(super) is_draining: bool,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Agent {
    /// A stack: the next piece of work is the last one.
    pub(super) todo: Vec<Todo>,
    pub(super) is_in_drain: bool,
    /// The drains that it has deferred.
    pub(super) deferred: VecDeque<Task>,
    /// The id of its await, and the waker stored there.
    pub(super) place: Option<(Nonce, Nonce)>,
}

/// A piece of work.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Todo {
    /// The operations of its thread, from this one on.
    Operations(usize),
    /// Hands over the scheduled callbacks of a task, one after the other.
    Drain(Task),
    /// Hands over this callback of the task.
    HandOver(Task, Nonce),
    /// The end of the outermost drain, where the deferred ones follow.
    Outermost,
    /// Serves the queue until it is empty.
    Serve,
    Enter(Nonce, Part),
    /// A program, from this step on, and the entry that takes its answers.
    Program {
        nonce: Nonce,
        part: Part,
        at: usize,
        entry: usize,
    },
    /// The second half of a poll, after the clone of its waker.
    Register(Nonce),
}

/// The receiver of an answer: a thread, or an entry among the hand-overs.
#[derive(Clone, Copy)]
pub(super) enum Asker {
    Thread(usize),
    Entry(usize),
}

impl Machine {
    /// A machine of one agent, which carries out the setup.
    pub(super) fn new(tasks: usize) -> Self {
        Machine {
            tasks: vec![TaskState::default(); tasks],
            agents: vec![Agent::default()],
            line: VecDeque::new(),
            raised: Vec::new(),
            inside: Vec::new(),
            has_scheduled: false,
            shown: Observation { answers: vec![Vec::new()], ..Observation::default() },
        }
    }

    /// Whether no agent has anything left to do.
    pub(super) fn has_ended(&self) -> bool {
        self.agents.iter().all(|agent| agent.todo.is_empty())
    }

    pub(crate) fn agents(&self) -> usize {
        self.agents.len()
    }

    pub(crate) fn cell(&self, task: Task) -> &Spec {
        &self.tasks[task].cell
    }

    /// Number of calls, clones and drops that have begun and not ended.
    pub(crate) fn inside(&self) -> usize {
        self.inside.len()
    }

    pub(crate) fn is_idle(&self, agent: usize) -> bool {
        self.agents[agent].todo.is_empty()
    }

    /// The operation of its thread that this agent is about to begin.
    pub(crate) fn operation(&self, agent: usize) -> Option<usize> {
        if let Some(Todo::Operations(at)) = self.agents[agent].todo.last() { Some(*at) } else { None }
    }

    /// Whether the agent has finished this operation and everything that it owed.
    pub(crate) fn has_finished(&self, agent: usize, operation: usize) -> bool {
        match self.agents[agent].todo.last() {
            Some(Todo::Operations(at)) => *at > operation,
            todo => todo.is_none_or(|todo| *todo == Todo::Serve),
        }
    }

    /// Whether the agent is about to leave its outermost drain, which no other agent notices.
    pub(crate) fn is_leaving(&self, agent: usize) -> bool {
        self.agents[agent].todo.last() == Some(&Todo::Outermost)
    }

    pub(super) fn push(&mut self, agent: usize, todo: Todo) {
        self.agents[agent].todo.push(todo);
    }

    pub(super) fn answer(&mut self, asker: Asker, answer: Option<Answer>) {
        match asker {
            Asker::Thread(thread) => self.shown.answers[thread].extend(answer),
            Asker::Entry(entry) => self.shown.handed[entry].answers.extend(answer),
        }
    }

    pub(super) fn report(&mut self, told: Told) {
        *self.shown.told.entry(told).or_default() += 1;
    }

    /// Begins a call, clone or drop; its program is the agent's next work. A callback reads the outcome of its task.
    pub(super) fn enter(&mut self, agent: usize, nonce: Nonce, part: Part, reads: Option<Task>) {
        let saw = reads.and_then(|task| self.cell(task).outcome());
        let mut amid: Vec<Nonce> = self.inside.iter().map(|(nonce, _)| *nonce).collect();
        amid.sort();
        self.inside.push((nonce, part));
        let entry = self.shown.handed.len();
        self.shown.handed.push(HandOver { part, amid, ..HandOver::new(nonce, saw) });
        self.push(agent, Todo::Program { nonce, part, at: 0, entry });
    }
}
