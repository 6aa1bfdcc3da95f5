//! What is claimed of the protocol, as sentences, and checked in every state that so many threads and
//! callbacks can reach. The model has no cycle, because every step makes the [`measure`] smaller: so what
//! holds in its last states is what always comes in the end.

use super::model::{Callback, Doing, State, Step, is_tagged};
use stateright::{Expectation, Model, Property};
use std::collections::{HashSet, VecDeque};
use whendone_model::observation::Answer;
use whendone_model::protocol::phase::Phase;
use whendone_model::scenario::names::Value;
use whendone_model::spec::cell::Spec;

/// The protocol at a size.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    pub threads: usize,
    pub callbacks: usize,
}

/// The size that is explored by default.
pub const SIZE: Protocol = Protocol { threads: 3, callbacks: 4 };

impl Protocol {
    /// Every step that can be taken, with the state after it and its answer. Refused ones change nothing.
    pub fn steps(&self, state: &State) -> Vec<(Step, State, Option<Answer>)> {
        let is_within = |step: &Step| !matches!(step, Step::Add(_)) || state.added < self.callbacks;
        let steps = Step::all(self.threads, self.callbacks).into_iter().filter(is_within);
        steps.filter_map(|step| state.after(step).map(|(next, answer)| (step, next, answer))).collect()
    }

    /// Every state that can be reached.
    pub fn states(&self) -> Vec<State> {
        let (mut states, mut at) = (self.init_states(), 0);
        let mut seen: HashSet<State> = states.iter().cloned().collect();
        while let Some(state) = states.get(at) {
            let next = self.steps(state).into_iter().map(|(_, next, _)| next);
            states.extend(next.filter(|next| seen.insert(next.clone())).collect::<Vec<_>>());
            at += 1;
        }
        states
    }

    /// The shortest way to a state where a claim whose sentence begins like this does not hold.
    pub fn shortest(&self, claim: &str) -> Option<(&'static str, Vec<Step>)> {
        let claims: Vec<_> =
            self.properties().into_iter().filter(|property| property.name.starts_with(claim)).collect();
        let is_broken = |property: &&Property<Self>, s: &State| {
            property.expectation == Expectation::Always && !(property.condition)(self, s)
        };
        let mut seen: HashSet<State> = self.init_states().into_iter().collect();
        let mut open: VecDeque<_> = self.init_states().into_iter().map(|state| (state, Vec::new())).collect();
        while let Some((state, way)) = open.pop_front() {
            if let Some(broken) = claims.iter().find(|property| is_broken(property, &state)) {
                return Some((broken.name, way));
            }
            for (step, next, _) in self.steps(&state) {
                if seen.insert(next.clone()) {
                    open.push_back((next, [&way[..], &[step]].concat()));
                }
            }
        }
        None
    }

    fn each_step(&self, state: &State, holds: impl Fn(Step, &State, Option<Answer>) -> bool) -> bool {
        self.steps(state).iter().all(|(step, next, answer)| holds(*step, next, *answer))
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.threads)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        let changes = self.steps(state).into_iter().filter(|(_, next, _)| next != state);
        actions.extend(changes.map(|(step, ..)| step));
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        state.after(step).map(|(next, _)| next)
    }

    fn format_action(&self, step: &Step) -> String {
        step.to_string()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = Property::<Self>::always;
        let sometimes = Property::<Self>::sometimes;
        vec![
            always("P1 of all completions exactly one succeeds", |_, s| s.won.len() == usize::from(is_done(s))),
            always("P2 done means that the one outcome can be read", |_, s| {
                s.outcome.is_some() == is_done(s) && s.outcome == s.won.first().copied()
            }),
            always("P3 what is done stays done, with the same outcome", |model, s| {
                let stays = |next: &State| !is_done(s) || (is_done(next) && next.outcome == s.outcome);
                model.each_step(s, |_, next, _| stays(next))
            }),
            always("P4 no callback is handed over twice", |_, s| !has_twice(&s.handed)),
            always("P5 what was added and not removed waits, is in a drainer's hands, or was handed over", |_, s| {
                (0..s.added).all(|c| s.removed.contains(&c) || s.handed.contains(&c) || is_somewhere(s, c))
            }),
            always("P6 nothing is handed over before completion", |_, s| s.handed.is_empty() || is_done(s)),
            always("P7 hand-overs follow the order of the adds, and leave nothing behind", |_, s| {
                let earlier = |c| (0..c).all(|before| s.handed.contains(&before) || s.removed.contains(&before));
                s.handed.is_sorted() && s.handed.iter().all(|&c| earlier(c))
            }),
            always("P8 hand-overs never overlap: one thread has the drain token, and drains", |_, s| {
                let draining = usize::from(s.phase == Phase::Draining);
                tokens(s) == draining
                    && s.hands.iter().all(|hands| hands.doing != Doing::Free || hands.batch.is_empty())
            }),
            always("P8 hand-overs never nest: whoever is told to drain has no token yet", |model, s| {
                model.each_step(s, |step, next, _| {
                    let (before, after) = (s.hands[step.thread()].doing, next.hands[step.thread()].doing);
                    after != Doing::Owes || before == Doing::Free
                })
            }),
            always(
                "P9 a removal says true once, if it waits and the task is not done: then it is never handed over",
                |model, s| {
                    let apart = s.removed.iter().all(|&c| !s.handed.contains(&c) && !is_somewhere(s, c));
                    let honest = |step, next: &State, answer| match step {
                        Step::Remove(_, c) => {
                            answer == Some(Answer::Did(!s.removed.contains(&c) && next.removed.contains(&c)))
                        }
                        Step::RemoveAll(_) => answer == Some(Answer::Count(next.removed.len() - s.removed.len())),
                        _ => true,
                    };
                    let gone = |next: &State| !is_done(s) || next.removed == s.removed;
                    let honest = |step, next: &State, answer| gone(next) && honest(step, next, answer);
                    apart && !has_twice(&s.removed) && model.each_step(s, honest)
                },
            ),
            always("P10 a removal takes out what it names and nothing else", |model, s| {
                model.each_step(s, |step, next, _| {
                    let meant = |c: Callback| match step {
                        Step::Remove(_, named) => c == named,
                        Step::RemoveAll(_) => is_tagged(c),
                        _ => false,
                    };
                    (0..s.added).all(|c| meant(c) || s.removed.contains(&c) == next.removed.contains(&c))
                })
            }),
            always("P11 an add hands nothing over: a late one goes behind all earlier ones", |model, s| {
                let is_add = |step| matches!(step, Step::Add(_));
                model.each_step(s, |step, next, _| !is_add(step) || next.handed == s.handed)
            }),
            always("P14 a hand-over that panics or is refused ends as one that returns", |_, s| {
                let ends = |t| [Step::Return(t), Step::Panic(t), Step::Refuse(t)].map(|end| s.after(end));
                (0..s.hands.len()).map(ends).all(|[returns, panics, refused]| returns == panics && returns == refused)
            }),
            always("P16 without its completer the task is done", |_, s| s.completer || is_done(s)),
            always("P18 while it is draining, whoever drains can go on", |model, s| {
                s.phase != Phase::Draining || model.steps(s).iter().any(|(step, ..)| step.is_of_a_drain())
            }),
            always("P19 settled means that nothing waits and nobody drains", |_, s| {
                s.phase != Phase::Settled || (s.queue.is_empty() && tokens(s) == 0)
            }),
            always("P19 every step that changes anything makes the measure smaller", |model, s| {
                model.each_step(s, |_, next, _| next == s || measure(model, next) < measure(model, s))
            }),
            always("P5 at the end it is settled, and all that was not removed was handed over", |model, s| {
                let is_last = model.each_step(s, |_, next, _| next == s);
                let expected = (0..s.added).filter(|c| !s.removed.contains(c));
                !is_last || (s.phase == Phase::Settled && expected.eq(s.handed.iter().copied()))
            }),
            always("every step is a step of the specification, or none", |model, s| {
                model.each_step(s, |step, next, answer| {
                    let mut spec = meaning(s);
                    carry_out(&mut spec, step, s) == answer && spec == meaning(next)
                })
            }),
            sometimes("a callback is removed", |_, s| !s.removed.is_empty()),
            sometimes("a removal comes too late", |model, s| {
                model.steps(s).iter().any(|(step, next, _)| matches!(step, Step::Remove(..)) && is_done(s) && next == s)
            }),
            sometimes("a late add waits for the drainer", |_, s| is_done(s) && !s.queue.is_empty()),
            sometimes("a late add is handed over by its adder", |_, s| {
                s.hands.iter().any(|hands| hands.doing == Doing::Owes) && !s.handed.is_empty()
            }),
            sometimes("a drain is put off, and meanwhile others add", |_, s| {
                s.hands.iter().any(|hands| hands.doing == Doing::PutOff) && !s.queue.is_empty()
            }),
            sometimes("a second completion is refused", |model, s| {
                model.steps(s).iter().any(|(_, _, answer)| is_done(s) && *answer == Some(Answer::Did(false)))
            }),
            sometimes("the task is abandoned with callbacks waiting", |_, s| {
                s.outcome == Some(Value::Abandoned) && s.hands.iter().any(|hands| hands.batch.len() > 1)
            }),
            sometimes("all is over", |model, s| model.each_step(s, |_, next, _| next == s)),
        ]
    }
}

fn is_done(s: &State) -> bool {
    s.phase != Phase::Pending
}

/// How many threads have the token.
fn tokens(s: &State) -> usize {
    s.hands.iter().filter(|hands| hands.doing != Doing::Free).count()
}

/// It waits, or is in the hands of one who will hand it over.
fn is_somewhere(s: &State, c: Callback) -> bool {
    s.queue.contains(&c) || s.hands.iter().any(|hands| hands.doing != Doing::Free && hands.batch.contains(&c))
}

fn has_twice(callbacks: &[Callback]) -> bool {
    callbacks.iter().enumerate().any(|(at, c)| callbacks[..at].contains(c))
}

/// The shortest way, in words, to where a claim that begins like this does not hold, at the default size.
pub fn broken(claim: &str) -> Option<(&'static str, Vec<String>)> {
    SIZE.shortest(claim).map(|(claim, way)| (claim, way.iter().map(Step::to_string).collect()))
}

/// What each step makes smaller, the first that differs: what may still be added, the completer, the
/// completion, what is to be handed over, the queue, and what the threads are about to do.
pub fn measure(model: &Protocol, s: &State) -> (usize, bool, bool, usize, usize, usize) {
    let over = s.removed.len() + s.handed.len();
    let turns = s.hands.iter().map(|hands| hands.doing as usize).sum();
    let to_add = model.callbacks - s.added;
    (to_add, s.completer, !is_done(s), s.added.saturating_sub(over), s.queue.len(), turns)
}

/// The state of the specification that this one stands for.
fn meaning(s: &State) -> Spec {
    let mut spec = Spec::new();
    let held = s.hands.iter().flat_map(|hands| &hands.batch);
    s.handed.iter().chain(held).chain(&s.queue).for_each(|&c| spec.add(c, is_tagged(c)));
    s.outcome.map(|outcome| spec.complete(outcome));
    spec
}

/// The step of the specification, and its answer: that of the client's lock section. What a drainer does is none.
fn carry_out(spec: &mut Spec, step: Step, s: &State) -> Option<Answer> {
    match step {
        Step::Add(_) => {
            spec.add(s.added, is_tagged(s.added));
            None
        }
        Step::Remove(_, c) => Some(Answer::Did(spec.remove(c))),
        Step::RemoveAll(_) => Some(Answer::Count(spec.remove_all().len())),
        Step::Complete(t) => Some(Answer::Did(spec.complete(Value::Finished(t)))),
        Step::DropCompleter(_) => {
            spec.complete(Value::Abandoned);
            None
        }
        _ => None,
    }
}
