//! The interleavings of a scenario over the cell: who drains, and in which order.

use crate::observation::{Answer, HandOver, Observation, Told};
use crate::scenario::names::{Nonce, Part, SCHEDULER, Task, Value};
use crate::scenario::resolve::{Resolved, Step, TaskStep};
use crate::scenario::{Scenario, Scheduler};
use crate::spec::cell::Spec;
use std::collections::VecDeque;

/// What does not change.
pub(crate) struct World {
    plan: Resolved,
    scheduler: Option<Scheduler>,
    /// Nobody can tell when a hand-over is: it is enough to know their order.
    is_plain: bool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Machine {
    pages: Vec<Page>,
    agents: Vec<Agent>,
    /// What the queue holds.
    line: VecDeque<Nonce>,
    raised: Vec<u8>,
    /// What has begun and not ended.
    inside: Vec<(Nonce, Part)>,
    /// The scheduler was called.
    has_scheduled: bool,
    pub(crate) shown: Observation,
}

/// The page of one task, how many were handed over, and whether somebody drains it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Page {
    spec: Spec,
    handed: usize,
    is_draining: bool,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Agent {
    /// The next one last.
    todo: Vec<Todo>,
    is_in_drain: bool,
    put_off: VecDeque<Task>,
    /// The place of its await, and the waker that is there.
    place: Option<(Nonce, Nonce)>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Todo {
    /// Its operations, from this one on.
    Operations(usize),
    /// To hand over what is in line of a task, one after the other.
    Drain(Task),
    /// To hand over this one of it.
    HandOver(Task, Nonce),
    /// The end of the outermost drain, when those that were put off come.
    Outermost,
    /// To serve the queue until it is empty.
    Serve,
    Enter(Nonce, Part),
    /// A program, from this step on, and where its answers go.
    Program {
        nonce: Nonce,
        part: Part,
        at: usize,
        entry: usize,
    },
    /// The rest of a poll, behind the clone of its waker.
    Register(Nonce),
}

/// Who is answered.
#[derive(Clone, Copy)]
enum Asker {
    Thread(usize),
    Entry(usize),
}

impl Machine {
    /// True once no agent has anything left to do.
    pub(super) fn has_ended(&self) -> bool {
        self.agents.iter().all(|agent| agent.todo.is_empty())
    }

    pub(crate) fn agents(&self) -> usize {
        self.agents.len()
    }

    pub(crate) fn page(&self, task: Task) -> &Spec {
        &self.pages[task].spec
    }

    /// How many have begun and not ended.
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

    /// True if it is through with this operation and all that it owed.
    pub(crate) fn is_through(&self, agent: usize, operation: usize) -> bool {
        match self.agents[agent].todo.last() {
            Some(Todo::Operations(at)) => *at > operation,
            todo => todo.is_none_or(|todo| *todo == Todo::Serve),
        }
    }

    /// True if it is about to leave its outermost drain, which nobody else notices.
    pub(crate) fn is_leaving(&self, agent: usize) -> bool {
        self.agents[agent].todo.last() == Some(&Todo::Outermost)
    }
}

impl World {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let (plan, scheduler) = (scenario.plan(), scenario.scheduler);
        let runs = !matches!(scheduler, Some(Scheduler::Refuse | Scheduler::Panic));
        let is_plain = runs && plan.tasks == 1 && !scenario.has_programs();
        World { plan, scheduler, is_plain }
    }

    /// Where times are told everybody can tell when a hand-over is.
    pub(crate) fn timed(scenario: &Scenario) -> Self {
        World { is_plain: false, ..World::new(scenario) }
    }

    /// The setup is through, and the threads begin.
    pub(crate) fn start(&self) -> Machine {
        let mut machine = Machine {
            pages: vec![Page::default(); self.plan.tasks],
            agents: vec![Agent::default()],
            line: VecDeque::new(),
            raised: Vec::new(),
            inside: Vec::new(),
            has_scheduled: false,
            shown: Observation { answers: vec![Vec::new()], ..Observation::default() },
        };
        for &setup in &self.plan.setup {
            self.carry_out(&mut machine, 0, setup, Asker::Thread(0));
            while let Some(next) = self.after(&machine, 0) {
                machine = next;
            }
        }
        // Behind the threads, one that serves what is left in the end.
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

    /// One atomic step.
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
                match agent.put_off.pop_front() {
                    Some(task) => agent.todo.extend([Todo::Outermost, Todo::Drain(task)]),
                    None => agent.is_in_drain = false,
                }
            }
            Todo::Serve => {
                if let Some(nonce) = machine.line.pop_front() {
                    machine.agents[agent].todo.push(Todo::Serve);
                    self.call(machine, agent, nonce);
                }
            }
            Todo::Enter(nonce, part) => self.enter(machine, agent, nonce, part),
            Todo::Program { nonce, part, at, entry } => match self.program(nonce, part).get(at) {
                Some(&step) => {
                    machine.agents[agent].todo.push(Todo::Program { nonce, part, at: at + 1, entry });
                    self.carry_out(machine, agent, step, Asker::Entry(entry));
                }
                None => machine.inside.retain(|entered| *entered != (nonce, part)),
            },
            Todo::Register(nonce) => self.register(machine, agent, nonce),
        }
    }

    /// False if what was answered and handed over is not the beginning of this, or if what waits does so in
    /// another order than that in which it is handed over.
    pub(super) fn leads_to(&self, machine: &Machine, observation: &Observation) -> bool {
        let handed: Vec<Nonce> = observation.handed.iter().map(|hand_over| hand_over.nonce).collect();
        let answered = machine.shown.answers.iter().zip(&observation.answers).all(|(now, then)| then.starts_with(now));
        if !self.is_plain {
            let entered = machine.shown.handed.iter().map(|hand_over| hand_over.nonce);
            return answered && entered.eq(handed.iter().copied().take(machine.shown.handed.len()));
        }
        let spec = &machine.pages[0].spec;
        let places = spec.waiting().filter_map(|nonce| handed.iter().position(|handed| *handed == nonce));
        answered && handed.starts_with(spec.scheduled()) && places.is_sorted()
    }

    fn carry_out(&self, machine: &mut Machine, agent: usize, (task, step): TaskStep, asker: Asker) {
        let spec = &mut machine.pages[task].spec;
        let answer = match step {
            Step::Add { nonce, tagged } => {
                spec.add(nonce, tagged);
                if spec.outcome().is_some() {
                    self.owe(machine, agent, task);
                }
                None
            }
            Step::Remove(Some(nonce)) => {
                let removed = machine.pages[self.plan.bodies[nonce].task].spec.remove(nonce);
                self.drop(machine, agent, removed.then_some(nonce));
                Some(Answer::Did(removed))
            }
            Step::Remove(None) => Some(Answer::Did(false)),
            Step::RemoveAll => {
                let removed = spec.remove_all();
                // The first one's drop is the first to come.
                self.drop(machine, agent, removed.iter().rev().copied());
                Some(Answer::Count(removed.len()))
            }
            Step::Complete(value) => {
                let completed = spec.complete(value);
                if completed {
                    self.owe(machine, agent, task);
                }
                Some(Answer::Did(completed))
            }
            Step::Read => Some(Answer::Outcome(spec.outcome())),
            Step::Signal(flag) => {
                machine.raised.push(flag);
                None
            }
            Step::Poll(nonce) => match spec.outcome() {
                // Then its waker is not even cloned.
                Some(outcome) => Some(Answer::Outcome(Some(outcome))),
                None => {
                    machine.agents[agent].todo.push(Todo::Register(nonce));
                    let clones = !self.program(nonce, Part::Clone).is_empty();
                    machine.agents[agent].todo.extend(clones.then_some(Todo::Enter(nonce, Part::Clone)));
                    None
                }
            },
            Step::DropAwait => {
                let place = machine.agents[agent].place.take();
                let dropped = place.filter(|(id, _)| machine.pages[self.plan.bodies[*id].task].spec.remove(*id));
                self.drop(machine, agent, dropped.map(|(_, waker)| waker));
                None
            }
            Step::DropCompleter => {
                if spec.complete(Value::Abandoned) {
                    self.owe(machine, agent, task);
                }
                None
            }
            Step::Wait(_) | Step::DropHandle => None,
            Step::Wake | Step::Soon(_) | Step::Spawn(_) | Step::Run | Step::RunBriefly | Step::Close => {
                unreachable!("the scenario was checked: {step:?} needs a loop")
            }
            Step::Panic => {
                let Some(Todo::Program { nonce, .. }) = machine.agents[agent].todo.last() else { return };
                let told = self.panicked(*nonce, &machine.shown);
                *machine.shown.told.entry(told).or_default() += 1;
                None
            }
        };
        match asker {
            Asker::Thread(thread) => machine.shown.answers[thread].extend(answer),
            Asker::Entry(entry) => machine.shown.handed[entry].answers.extend(answer),
        }
    }

    fn program(&self, nonce: Nonce, part: Part) -> &[TaskStep] {
        self.plan.program(nonce, part)
    }

    /// What was completed or added late goes over: by this agent, unless somebody drains that task already.
    fn owe(&self, machine: &mut Machine, agent: usize, task: Task) {
        let page = &mut machine.pages[task];
        if self.is_plain || page.is_draining {
            return;
        }
        page.is_draining = true;
        let agent = &mut machine.agents[agent];
        match agent.is_in_drain {
            true => agent.put_off.push_back(task),
            false => {
                agent.is_in_drain = true;
                agent.todo.extend([Todo::Outermost, Todo::Drain(task)]);
            }
        }
    }

    /// The next in line, or the drain is over.
    fn drain(&self, machine: &mut Machine, agent: usize, task: Task) {
        let page = &mut machine.pages[task];
        let Some(&nonce) = page.spec.scheduled().get(page.handed) else {
            page.is_draining = false;
            return;
        };
        page.handed += 1;
        machine.agents[agent].todo.push(Todo::Drain(task));
        let does = !self.plan.bodies[nonce].is_waker && !self.program(SCHEDULER, Part::Call).is_empty();
        match does && !std::mem::replace(&mut machine.has_scheduled, true) {
            true => {
                machine.agents[agent].todo.extend([Todo::HandOver(task, nonce), Todo::Enter(SCHEDULER, Part::Call)])
            }
            false => self.hand_over(machine, agent, task, nonce),
        }
    }

    fn hand_over(&self, machine: &mut Machine, agent: usize, task: Task, nonce: Nonce) {
        let body = &self.plan.bodies[nonce];
        let told = &mut machine.shown.told;
        match self.scheduler {
            // A waker is woken at once, whatever the scheduler; one without a program of its own queues.
            Some(Scheduler::Queue) if body.is_waker && body.program(Part::Call).is_empty() => {
                machine.line.push_back(nonce);
                self.drop(machine, agent, [nonce]);
            }
            _ if body.is_waker => self.call(machine, agent, nonce),
            None | Some(Scheduler::Inline) => self.call(machine, agent, nonce),
            Some(Scheduler::Queue) => machine.line.push_back(nonce),
            Some(Scheduler::Loop(_)) => unreachable!("a loop has a page of its own"),
            Some(Scheduler::Refuse | Scheduler::Panic) => {
                *told.entry(Told::Lost(task)).or_default() += 1;
                if self.scheduler == Some(Scheduler::Panic) {
                    *told.entry(Told::SchedulerPanicked(task)).or_default() += 1;
                }
                self.drop(machine, agent, [nonce]);
            }
        }
    }

    /// It runs, and is gone.
    fn call(&self, machine: &mut Machine, agent: usize, nonce: Nonce) {
        let body = &self.plan.bodies[nonce];
        let queued_waker =
            body.is_waker && body.program(Part::Call).is_empty() && self.scheduler == Some(Scheduler::Queue);
        if !queued_waker {
            self.drop(machine, agent, [nonce]);
        }
        self.enter(machine, agent, nonce, Part::Call);
    }

    fn enter(&self, machine: &mut Machine, agent: usize, nonce: Nonce, part: Part) {
        let body = self.plan.bodies.get(nonce).filter(|body| part == Part::Call && !body.is_waker);
        let saw = body.and_then(|body| machine.pages[body.task].spec.outcome());
        let mut amid: Vec<Nonce> = machine.inside.iter().map(|(nonce, _)| *nonce).collect();
        amid.sort();
        machine.inside.push((nonce, part));
        let entry = machine.shown.handed.len();
        machine.shown.handed.push(HandOver { part, amid, ..HandOver::new(nonce, saw) });
        machine.agents[agent].todo.push(Todo::Program { nonce, part, at: 0, entry });
    }

    /// They are dropped, the last one first.
    fn drop(&self, machine: &mut Machine, agent: usize, nonces: impl IntoIterator<Item = Nonce>) {
        let does = nonces.into_iter().filter(|nonce| !self.program(*nonce, Part::Drop).is_empty());
        machine.agents[agent].todo.extend(does.map(|nonce| Todo::Enter(nonce, Part::Drop)));
    }

    /// The first poll takes a place, a later one swaps the waker in it; the thread is answered.
    fn register(&self, machine: &mut Machine, agent: usize, nonce: Nonce) {
        let spec = &mut machine.pages[self.plan.bodies[nonce].task].spec;
        let place = &mut machine.agents[agent].place;
        let left = match place {
            None if spec.add_waiting(nonce) => {
                *place = Some((nonce, nonce));
                None
            }
            Some((id, waker)) if spec.replace(*id, nonce) => Some(std::mem::replace(waker, nonce)),
            _ => Some(nonce),
        };
        let answer = Answer::Outcome(spec.outcome());
        machine.shown.answers[agent].push(answer);
        self.drop(machine, agent, left);
    }

    /// The drop of a closure that was called belongs to its call.
    fn panicked(&self, nonce: Nonce, shown: &Observation) -> Told {
        let is_called = shown.handed.iter().any(|entry| entry.nonce == nonce && entry.part == Part::Call);
        match (self.plan.bodies[nonce].is_waker, is_called) {
            (true, _) => Told::WakerPanicked(nonce),
            (false, true) => Told::CallbackPanicked(nonce),
            (false, false) => Told::DropPanicked(nonce),
        }
    }

    pub(super) fn observation(&self, mut machine: Machine) -> Observation {
        if self.is_plain {
            let page = &machine.pages[0].spec;
            let saw = |nonce: &Nonce| if self.plan.bodies[*nonce].is_waker { None } else { page.outcome() };
            machine.shown.handed = page.scheduled().iter().map(|nonce| HandOver::new(*nonce, saw(nonce))).collect();
        }
        machine.shown
    }
}
