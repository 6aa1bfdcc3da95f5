//! The specification of the task layer and its schedulers: every order of a scenario's atomic steps over its cells.
//!
//! The page, `cell.rs`, says what an operation answers, and in which order a task's callbacks are handed over. This one
//! says who hands them over, and when.
//!
//! * **Agents.** There is one for each thread, and one more for callbacks left in the queue. An interleaving picks the
//!   agent of each step. An agent carries out the operations of its thread in order, each as one step; only a poll has
//!   two: it clones its waker, and then registers it. If the waker is the one that waits already, nothing is left to do.
//!   If the clone panics, the poll ends with that panic, and nothing is registered.
//! * **Who drains.** An agent that completes a task, or adds to one that is done, owes the drain of that task, unless
//!   an agent already drains it: then that drain hands over the new callback too.
//! * **When.** The agent drains before it goes on with its operations or its program. A drain that it comes to owe within
//!   another drain of its own is deferred to the end of the outermost one; deferred drains follow in the order in which
//!   they were owed.
//! * **In which order.** A drain hands over the callbacks of its task in the order of `scheduled`, each in one step. The
//!   step that finds none left ends the drain.
//! * **What a hand-over is.** On the kernel alone and on `@inline` it calls the callback. On `@queue` it appends to one
//!   queue, which all tasks share. `@refuse` and `@panic` drop the callback and report that it is lost. A waker is woken at
//!   once on every scheduler; only on `@queue`, one without a program takes a place in the queue.
//! * **The scheduler's program** runs once: before the first hand-over of a callback of any task.
//! * **Who serves the queue.** The last thread, after its own operations, until it finds the queue empty; and the
//!   additional agent, once all threads have finished.
//! * **Programs.** A call begins in the step that hands over or serves, and reads the outcome then. Each step of its
//!   program is a step of the same agent, and so is its end. A panic ends a program and is reported.
//! * **Unwinding.** A panic of a thread is no step of its own to anybody else: the operations behind it are carried out
//!   like those before it.
//! * **Drops.** A callback is dropped by the agent that called it, after the call, or by the agent that removed or replaced
//!   it, right after that step; several are dropped in the order in which they waited. The program of a drop runs then.
//! * **Shortcut.** If clients can observe only the order of hand-overs, no hand-over is a step: that order is `scheduled`.

use super::machine::{Agent, Asker, Machine, Todo};
use crate::observation::{Answer, HandOver, Observation, Told};
use crate::scenario::names::{Nonce, Part, SCHEDULER, Task, Value};
use crate::scenario::resolve::{Resolved, Step, TaskStep};
use crate::scenario::{Scenario, Scheduler};
use std::sync::Arc;

/// The steps that a scenario can take.
pub(crate) struct Interleavings {
    plan: Arc<Resolved>,
    scheduler: Option<Scheduler>,
    /// Whether the shortcut applies: one task, no programs, and callbacks that run.
    is_plain: bool,
}

impl Interleavings {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let (plan, scheduler) = (scenario.resolved().clone(), scenario.scheduler);
        let runs = !matches!(scheduler, Some(Scheduler::Refuse | Scheduler::Panic));
        let is_plain = runs && plan.tasks == 1 && !scenario.has_programs();
        Interleavings { plan, scheduler, is_plain }
    }

    /// The steps for calls with timestamps, where the position of each hand-over is visible and must be modelled.
    pub(crate) fn timed(scenario: &Scenario) -> Self {
        Interleavings { is_plain: false, ..Interleavings::new(scenario) }
    }

    /// The steps for calls that take effect one by one: what they lead to is no step.
    pub(super) fn of_calls(scenario: &Scenario) -> Self {
        Interleavings { is_plain: true, ..Interleavings::new(scenario) }
    }

    /// The machine before the setup, with an agent for each thread.
    pub(super) fn untouched(&self) -> Machine {
        let mut machine = Machine::new(self.plan.tasks);
        machine.agents = vec![Agent::default(); self.plan.threads.len()];
        machine.shown.answers = vec![Vec::new(); self.plan.threads.len()];
        machine
    }

    /// Carries out an operation as one step, and returns its answer. Drains, drops and clones are left out.
    pub(super) fn take_effect(&self, machine: &mut Machine, agent: usize, step: TaskStep) -> Option<Answer> {
        self.carry_out(machine, agent, step, Asker::Thread(agent));
        let owed = std::mem::take(&mut machine.agents[agent].todo);
        let registers = |todo: &Todo| if let Todo::Register(nonce) = todo { Some(*nonce) } else { None };
        if let Some(nonce) = owed.iter().find_map(registers) {
            self.register(machine, agent, nonce);
            machine.agents[agent].todo.clear();
        }
        machine.shown.answers[agent].pop()
    }

    /// The machine after the setup, when the threads begin.
    pub(crate) fn start(&self) -> Machine {
        let mut machine = Machine::new(self.plan.tasks);
        for &setup in &self.plan.setup {
            self.carry_out(&mut machine, 0, setup, Asker::Thread(0));
            while let Some(next) = self.after(&machine, 0) {
                machine = next;
            }
        }
        let last = Agent { todo: vec![Todo::Serve], ..Agent::default() };
        machine.agents = (0..self.plan.threads.len()).map(|thread| self.agent(thread)).chain([last]).collect();
        machine.shown.answers = vec![Vec::new(); self.plan.threads.len()];
        machine
    }

    fn agent(&self, thread: usize) -> Agent {
        let serves = self.scheduler == Some(Scheduler::Queue) && thread + 1 == self.plan.threads.len();
        let operates = !self.plan.threads[thread].is_empty();
        let todo = serves.then_some(Todo::Serve).into_iter().chain(operates.then_some(Todo::Operations(0)));
        Agent { todo: todo.collect(), ..Agent::default() }
    }

    /// The machine after this agent's next step; none while it has to wait, or if it has nothing to do.
    pub(crate) fn after(&self, machine: &Machine, agent: usize) -> Option<Machine> {
        let todo = machine.agents[agent].todo.last()?;
        let all_ended = || machine.agents[..agent].iter().all(|other| other.todo.is_empty());
        match todo {
            Todo::Operations(at) => match self.plan.threads[agent][*at] {
                (_, Step::Wait(flag)) if !machine.raised.contains(&flag) => return None,
                _ => {}
            },
            _ if agent == self.plan.threads.len() && !all_ended() => return None,
            _ => {}
        }
        let mut next = machine.clone();
        let todo = next.agents[agent].todo.pop()?;
        self.step(&mut next, agent, todo);
        Some(next)
    }

    /// Carries out one atomic step.
    fn step(&self, machine: &mut Machine, agent: usize, todo: Todo) {
        match todo {
            Todo::Operations(at) => {
                let rest = at + 1 < self.plan.threads[agent].len();
                machine.agents[agent].todo.extend(rest.then_some(Todo::Operations(at + 1)));
                self.carry_out(machine, agent, self.plan.threads[agent][at], Asker::Thread(agent));
            }
            Todo::Drain(task) => self.drain(machine, agent, task),
            Todo::HandOver(task, nonce) => self.hand_over(machine, agent, task, nonce),
            Todo::Outermost => {
                let agent = &mut machine.agents[agent];
                match agent.deferred.pop_front() {
                    Some(task) => agent.todo.extend([Todo::Outermost, Todo::Drain(task)]),
                    None => agent.is_in_drain = false,
                }
            }
            Todo::Serve => {
                if let Some(nonce) = machine.line.pop_front() {
                    machine.push(agent, Todo::Serve);
                    self.call(machine, agent, nonce);
                }
            }
            Todo::Enter(nonce, part) => self.enter(machine, agent, nonce, part),
            Todo::Program { nonce, part, at, entry } => match self.plan.program(nonce, part).get(at) {
                Some(&step) => {
                    machine.push(agent, Todo::Program { nonce, part, at: at + 1, entry });
                    self.carry_out(machine, agent, step, Asker::Entry(entry));
                }
                None => machine.inside.retain(|entered| *entered != (nonce, part)),
            },
            Todo::Register(nonce) => self.register(machine, agent, nonce),
        }
    }

    /// Carries out an operation, and answers it.
    fn carry_out(&self, machine: &mut Machine, agent: usize, (task, step): TaskStep, asker: Asker) {
        let mut answer = None;
        match step {
            Step::Add { nonce, tagged } => {
                machine.tasks[task].cell.add(nonce, tagged);
                if machine.cell(task).outcome().is_some() {
                    self.owe(machine, agent, task);
                }
            }
            Step::Remove(nonce) => {
                let removed = nonce.filter(|nonce| machine.tasks[self.task_of(*nonce)].cell.remove(*nonce));
                self.drop(machine, agent, removed);
                answer = Some(Answer::Did(removed.is_some()));
            }
            Step::RemoveAll => {
                let removed = machine.tasks[task].cell.remove_all();
                // The stack's last entry is dropped first.
                self.drop(machine, agent, removed.iter().rev().copied());
                answer = Some(Answer::Count(removed.len()));
            }
            Step::Complete(value) => answer = Some(Answer::Did(self.complete(machine, agent, task, value))),
            Step::DropCompleter => {
                self.complete(machine, agent, task, Value::Abandoned);
            }
            Step::Read | Step::Print => answer = Some(Answer::Outcome(machine.cell(task).outcome())),
            Step::Signal(flag) => machine.raised.push(flag),
            Step::Poll(nonce) | Step::PollAgain(nonce) => answer = self.poll(machine, agent, task, nonce),
            Step::DropAwait => self.drop_await(machine, agent),
            Step::Wait(_) | Step::DropHandle => {}
            Step::Panic => self.panic(machine, agent),
            step => unreachable!("the scenario was checked: {step:?} needs a loop"),
        }
        machine.answer(asker, answer);
    }

    fn complete(&self, machine: &mut Machine, agent: usize, task: Task, value: Value) -> bool {
        let completed = machine.tasks[task].cell.complete(value);
        if completed {
            self.owe(machine, agent, task);
        }
        completed
    }

    /// The answer, if the task is done, or if this waker waits already. Else the waker is cloned and registered, and that
    /// answers.
    fn poll(&self, machine: &mut Machine, agent: usize, task: Task, nonce: Nonce) -> Option<Answer> {
        let outcome = machine.cell(task).outcome();
        if outcome.is_none() {
            if machine.agents[agent].place.is_some_and(|(_, waiting)| waiting == nonce) {
                return Some(Answer::Outcome(None));
            }
            machine.push(agent, Todo::Register(nonce));
            let clones = !self.plan.program(nonce, Part::Clone).is_empty();
            machine.agents[agent].todo.extend(clones.then_some(Todo::Enter(nonce, Part::Clone)));
        }
        outcome.map(|outcome| Answer::Outcome(Some(outcome)))
    }

    /// Registers the waker, at the first poll, or replaces the one that is registered; answers the thread.
    fn register(&self, machine: &mut Machine, agent: usize, nonce: Nonce) {
        let cell = &mut machine.tasks[self.task_of(nonce)].cell;
        let place = &mut machine.agents[agent].place;
        let left = match place {
            None if cell.add_waiting(nonce) => {
                *place = Some((nonce, nonce));
                None
            }
            Some((id, waker)) if cell.replace(*id, nonce) => Some(std::mem::replace(waker, nonce)),
            _ => Some(nonce),
        };
        let answer = Answer::Outcome(cell.outcome());
        machine.answer(Asker::Thread(agent), Some(answer));
        self.drop(machine, agent, left);
    }

    fn drop_await(&self, machine: &mut Machine, agent: usize) {
        let place = machine.agents[agent].place.take();
        let dropped = place.filter(|(id, _)| machine.tasks[self.task_of(*id)].cell.remove(*id));
        self.drop(machine, agent, dropped.map(|(_, waker)| waker));
    }

    /// Reports the panic that ends a program; that of a thread is reported to nobody. A panic in the drop after a call belongs to the call; one in the clone of a
    /// waker goes to the poll.
    fn panic(&self, machine: &mut Machine, agent: usize) {
        let Some(&Todo::Program { nonce, part, .. }) = machine.agents[agent].todo.last() else { return };
        if part == Part::Clone {
            machine.agents[agent].todo.retain(|todo| *todo != Todo::Register(nonce));
            return machine.answer(Asker::Thread(agent), Some(Answer::Panicked));
        }
        let is_called = machine.shown.handed.iter().any(|entry| entry.nonce == nonce && entry.part == Part::Call);
        machine.report(match (self.plan.registrations[nonce].is_waker, is_called) {
            (true, _) => Told::WakerPanicked(nonce),
            (false, true) => Told::CallbackPanicked(nonce),
            (false, false) => Told::DropPanicked(nonce),
        });
    }

    /// Makes this agent owe the drain of the task, unless an agent drains it already.
    fn owe(&self, machine: &mut Machine, agent: usize, task: Task) {
        let state = &mut machine.tasks[task];
        if self.is_plain || state.is_draining {
            return;
        }
        state.is_draining = true;
        let agent = &mut machine.agents[agent];
        if agent.is_in_drain {
            agent.deferred.push_back(task);
        } else {
            agent.is_in_drain = true;
            agent.todo.extend([Todo::Outermost, Todo::Drain(task)]);
        }
    }

    /// Hands over the task's next callback, or ends the drain.
    fn drain(&self, machine: &mut Machine, agent: usize, task: Task) {
        let state = &mut machine.tasks[task];
        let Some(&nonce) = state.cell.scheduled().get(state.handed) else {
            state.is_draining = false;
            return;
        };
        state.handed += 1;
        machine.push(agent, Todo::Drain(task));
        let schedules = !self.plan.registrations[nonce].is_waker;
        let does = schedules && !self.plan.program(SCHEDULER, Part::Call).is_empty();
        if does && !std::mem::replace(&mut machine.has_scheduled, true) {
            machine.agents[agent].todo.extend([Todo::HandOver(task, nonce), Todo::Enter(SCHEDULER, Part::Call)]);
        } else {
            self.hand_over(machine, agent, task, nonce);
        }
    }

    fn hand_over(&self, machine: &mut Machine, agent: usize, task: Task, nonce: Nonce) {
        let is_waker = self.plan.registrations[nonce].is_waker;
        match self.scheduler {
            _ if self.is_queued_waker(nonce) => {
                machine.line.push_back(nonce);
                self.drop(machine, agent, [nonce]);
            }
            _ if is_waker => self.call(machine, agent, nonce),
            None | Some(Scheduler::Inline) => self.call(machine, agent, nonce),
            Some(Scheduler::Queue) => machine.line.push_back(nonce),
            Some(Scheduler::Loop(_)) => unreachable!("a loop has a specification of its own"),
            Some(Scheduler::Refuse | Scheduler::Panic) => {
                machine.report(Told::Lost(task));
                if self.scheduler == Some(Scheduler::Panic) {
                    machine.report(Told::SchedulerPanicked(task));
                }
                self.drop(machine, agent, [nonce]);
            }
        }
    }

    /// Calls it, and drops it after the call; a queued waker is dropped when it is queued.
    fn call(&self, machine: &mut Machine, agent: usize, nonce: Nonce) {
        if !self.is_queued_waker(nonce) {
            self.drop(machine, agent, [nonce]);
        }
        self.enter(machine, agent, nonce, Part::Call);
    }

    fn enter(&self, machine: &mut Machine, agent: usize, nonce: Nonce, part: Part) {
        let reads = self.reads(nonce).filter(|_| part == Part::Call);
        machine.enter(agent, nonce, part, reads);
    }

    /// Drops them, the last one first.
    fn drop(&self, machine: &mut Machine, agent: usize, nonces: impl IntoIterator<Item = Nonce>) {
        let does = nonces.into_iter().filter(|nonce| !self.plan.program(*nonce, Part::Drop).is_empty());
        machine.agents[agent].todo.extend(does.map(|nonce| Todo::Enter(nonce, Part::Drop)));
    }

    pub(super) fn task_of(&self, nonce: Nonce) -> Task {
        self.plan.registrations[nonce].task
    }

    /// Whether the hand-over of this callback or waker calls it, now or later, and in which of two orders: on a queue,
    /// wakers that are woken at once overtake those that take a place in it.
    pub(super) fn order(&self, nonce: Nonce) -> Option<bool> {
        let is_waker = self.plan.registrations[nonce].is_waker;
        match self.scheduler {
            Some(Scheduler::Refuse | Scheduler::Panic) => is_waker.then_some(true),
            Some(Scheduler::Queue) => Some(is_waker && !self.is_queued_waker(nonce)),
            _ => Some(true),
        }
    }

    /// The task that a callback or waker reads the outcome of, if it is a callback.
    pub(super) fn reads(&self, nonce: Nonce) -> Option<Task> {
        let callback = self.plan.registrations.get(nonce).filter(|body| !body.is_waker);
        callback.map(|callback| callback.task)
    }

    /// Whether it is a waker that takes a place in the scheduler's queue.
    fn is_queued_waker(&self, nonce: Nonce) -> bool {
        let registration = &self.plan.registrations[nonce];
        let is_bare = registration.is_waker && registration.program(Part::Call).is_empty();
        is_bare && self.scheduler == Some(Scheduler::Queue)
    }

    /// Whether the machine can still show this observation: its answers and hand-overs are the beginning of those
    /// observed, and waiting callbacks wait in the order in which they are handed over.
    pub(super) fn leads_to(&self, machine: &Machine, observation: &Observation) -> bool {
        let handed: Vec<Nonce> = observation.handed.iter().map(|hand_over| hand_over.nonce).collect();
        let answered = machine.shown.answers.iter().zip(&observation.answers).all(|(now, then)| then.starts_with(now));
        if !self.is_plain {
            let entered = machine.shown.handed.iter().map(|hand_over| hand_over.nonce);
            return answered && entered.eq(handed.iter().copied().take(machine.shown.handed.len()));
        }
        let cell = machine.cell(0);
        let places = cell.waiting().filter_map(|nonce| handed.iter().position(|handed| *handed == nonce));
        answered && handed.starts_with(cell.scheduled()) && places.is_sorted()
    }

    pub(super) fn observation(&self, mut machine: Machine) -> Observation {
        if self.is_plain {
            let cell = machine.cell(0);
            let saw = |nonce: Nonce| if self.plan.registrations[nonce].is_waker { None } else { cell.outcome() };
            machine.shown.handed = cell.scheduled().iter().map(|&nonce| HandOver::new(nonce, saw(nonce))).collect();
        }
        machine.shown
    }
}
