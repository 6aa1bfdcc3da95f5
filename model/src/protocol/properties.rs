//! The properties of the protocol, as sentences, each checked in every state that a small scope of threads and
//! callbacks can reach. Every action makes the [`measure`] smaller, so the model has no cycle, and what holds in its
//! final states is what every execution comes to.

use super::model::{Action, Callback, Doing, State, is_tagged};
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
    /// Every action that can be taken, with the state after it and its answer. A refused one changes nothing.
    pub fn steps(&self, state: &State) -> Vec<(Action, State, Option<Answer>)> {
        let is_within = |action: &Action| !matches!(action, Action::Add(_)) || state.added < self.callbacks;
        let actions = Action::all(self.threads, self.callbacks).into_iter().filter(is_within);
        actions.filter_map(|action| state.after(action).map(|(next, answer)| (action, next, answer))).collect()
    }

    /// Every reachable state.
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

    /// The properties of every state whose sentence begins with these words: P1 is not the beginning of P19.
    pub fn always(&self, words: &str) -> Vec<Property<Self>> {
        let begins = |sentence: &str| sentence == words || sentence.starts_with(&format!("{words} "));
        let properties = self.properties().into_iter();
        properties.filter(|one| one.expectation == Expectation::Always && begins(one.name)).collect()
    }

    /// The shortest way to a state that violates a property of every state whose sentence begins with these words.
    pub fn shortest(&self, words: &str) -> Option<(&'static str, Vec<Action>)> {
        let properties = self.always(words);
        let is_broken = |property: &&Property<Self>, s: &State| !(property.condition)(self, s);
        let mut seen: HashSet<State> = self.init_states().into_iter().collect();
        let mut open: VecDeque<_> = self.init_states().into_iter().map(|state| (state, Vec::new())).collect();
        while let Some((state, way)) = open.pop_front() {
            if let Some(broken) = properties.iter().find(|property| is_broken(property, &state)) {
                return Some((broken.name, way));
            }
            for (action, next, _) in self.steps(&state) {
                if seen.insert(next.clone()) {
                    open.push_back((next, [&way[..], &[action]].concat()));
                }
            }
        }
        None
    }

    fn each_action(&self, state: &State, holds: impl Fn(Action, &State, Option<Answer>) -> bool) -> bool {
        self.steps(state).iter().all(|(action, next, answer)| holds(*action, next, *answer))
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.threads)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let changes = self.steps(state).into_iter().filter(|(_, next, _)| next != state);
        actions.extend(changes.map(|(action, ..)| action));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        state.after(action).map(|(next, _)| next)
    }

    fn format_action(&self, action: &Action) -> String {
        action.to_string()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        [of_outcomes(), of_hand_overs(), of_drains(), of_removals(), of_ends(), refinement(), reachable()].concat()
    }
}

type Properties = Vec<Property<Protocol>>;

fn always(sentence: &'static str, condition: fn(&Protocol, &State) -> bool) -> Property<Protocol> {
    Property::always(sentence, condition)
}

fn sometimes(sentence: &'static str, condition: fn(&Protocol, &State) -> bool) -> Property<Protocol> {
    Property::sometimes(sentence, condition)
}

fn of_outcomes() -> Properties {
    vec![
        always("P1 of all completions exactly one succeeds", |_, s| s.won.len() == usize::from(is_done(s))),
        always("P2 done means that the one outcome can be read", |_, s| {
            s.outcome.is_some() == is_done(s) && s.outcome == s.won.first().copied()
        }),
        always("P3 a done task stays done, with the same outcome", |model, s| {
            let stays = |next: &State| !is_done(s) || (is_done(next) && next.outcome == s.outcome);
            model.each_action(s, |_, next, _| stays(next))
        }),
    ]
}

fn of_hand_overs() -> Properties {
    vec![
        always("P4 no callback is handed over twice", |_, s| !has_twice(&s.handed)),
        always("P5 an added callback is removed, waits, is in a drainer's batch, or was handed over", |_, s| {
            (0..s.added).all(|c| s.removed.contains(&c) || s.handed.contains(&c) || is_somewhere(s, c))
        }),
        always("P6 nothing is handed over before completion", |_, s| s.handed.is_empty() || is_done(s)),
        always("P7 hand-overs follow the order of the adds, and leave nothing behind", |_, s| {
            let earlier = |c| (0..c).all(|before| s.handed.contains(&before) || s.removed.contains(&before));
            s.handed.is_sorted() && s.handed.iter().all(|&c| earlier(c))
        }),
    ]
}

fn of_drains() -> Properties {
    vec![
        always("P8 hand-overs never overlap: one thread has the drain token, and drains", |_, s| {
            let draining = usize::from(s.phase == Phase::Draining);
            tokens(s) == draining && s.hands.iter().all(|hands| hands.doing != Doing::Free || hands.batch.is_empty())
        }),
        always("P8 hand-overs never nest: a thread that receives the drain token had none", |model, s| {
            model.each_action(s, |action, next, _| {
                let (before, after) = (s.hands[action.thread()].doing, next.hands[action.thread()].doing);
                after != Doing::Owes || before == Doing::Free
            })
        }),
    ]
}

fn of_removals() -> Properties {
    vec![
        always(
            "P9 a removal of a waiting callback of a pending task says true once, and it is never handed over",
            |model, s| {
                let apart = s.removed.iter().all(|&c| !s.handed.contains(&c) && !is_somewhere(s, c));
                let honest = |action, next: &State, answer| match action {
                    Action::Remove(_, c) => {
                        answer == Some(Answer::Did(!s.removed.contains(&c) && next.removed.contains(&c)))
                    }
                    Action::RemoveAll(_) => answer == Some(Answer::Count(next.removed.len() - s.removed.len())),
                    _ => true,
                };
                let gone = |next: &State| !is_done(s) || next.removed == s.removed;
                let honest = |action, next: &State, answer| gone(next) && honest(action, next, answer);
                apart && !has_twice(&s.removed) && model.each_action(s, honest)
            },
        ),
        always("P10 a removal removes the callbacks that it names and no others", |model, s| {
            model.each_action(s, |action, next, _| {
                let meant = |c: Callback| match action {
                    Action::Remove(_, named) => c == named,
                    Action::RemoveAll(_) => is_tagged(c),
                    _ => false,
                };
                (0..s.added).all(|c| meant(c) || s.removed.contains(&c) == next.removed.contains(&c))
            })
        }),
        always("P11 an add hands nothing over: a late callback is queued behind all earlier ones", |model, s| {
            let is_add = |action| matches!(action, Action::Add(_));
            model.each_action(s, |action, next, _| !is_add(action) || next.handed == s.handed)
        }),
    ]
}

fn of_ends() -> Properties {
    vec![
        always("P14 a hand-over that panics or is refused ends like one that returns", |_, s| {
            let ends = |t| [Action::Return(t), Action::Panic(t), Action::Refuse(t)].map(|end| s.after(end));
            (0..s.hands.len()).map(ends).all(|[returns, panics, refused]| returns == panics && returns == refused)
        }),
        always("P16 without its completer the task is done", |_, s| s.completer || is_done(s)),
        always("P18 while the cell is draining, its drainer can take an action", |model, s| {
            s.phase != Phase::Draining || model.steps(s).iter().any(|(action, ..)| action.is_of_a_drain())
        }),
        always("P19 settled means that no callback waits and no thread drains", |_, s| {
            s.phase != Phase::Settled || (s.queue.is_empty() && tokens(s) == 0)
        }),
        always("P19 every action that changes the state makes the measure smaller", |model, s| {
            model.each_action(s, |_, next, _| next == s || measure(model, next) < measure(model, s))
        }),
        always(
            "P5 at the end the cell is settled, and all callbacks but the removed ones were handed over",
            |model, s| {
                let is_last = model.each_action(s, |_, next, _| next == s);
                let expected = (0..s.added).filter(|c| !s.removed.contains(c));
                !is_last || (s.phase == Phase::Settled && expected.eq(s.handed.iter().copied()))
            },
        ),
    ]
}

fn refinement() -> Properties {
    vec![always("every action is a step of the specification, or none", |model, s| {
        model.each_action(s, |action, next, answer| {
            let mut spec = abstraction(s);
            carry_out(&mut spec, action, s) == answer && spec == abstraction(next)
        })
    })]
}

/// The situations that must be reachable, so that no property holds vacuously.
fn reachable() -> Properties {
    vec![
        sometimes("a callback is removed", |_, s| !s.removed.is_empty()),
        sometimes("a removal comes too late", |model, s| {
            let is_late =
                |action: &Action, next: &State| matches!(action, Action::Remove(..)) && is_done(s) && next == s;
            model.steps(s).iter().any(|(action, next, _)| is_late(action, next))
        }),
        sometimes("a late add waits for the drainer", |_, s| is_done(s) && !s.queue.is_empty()),
        sometimes("a late add is handed over by its adder", |_, s| {
            s.hands.iter().any(|hands| hands.doing == Doing::Owes) && !s.handed.is_empty()
        }),
        sometimes("a drain is deferred, and other threads add meanwhile", |_, s| {
            s.hands.iter().any(|hands| hands.doing == Doing::PutOff) && !s.queue.is_empty()
        }),
        sometimes("a second completion is refused", |model, s| {
            model.steps(s).iter().any(|(_, _, answer)| is_done(s) && *answer == Some(Answer::Did(false)))
        }),
        sometimes("the task is abandoned with callbacks waiting", |_, s| {
            s.outcome == Some(Value::Abandoned) && s.hands.iter().any(|hands| hands.batch.len() > 1)
        }),
        sometimes("the end is reached", |model, s| model.each_action(s, |_, next, _| next == s)),
    ]
}

fn is_done(s: &State) -> bool {
    s.phase != Phase::Pending
}

/// The number of threads that have the token.
fn tokens(s: &State) -> usize {
    s.hands.iter().filter(|hands| hands.doing != Doing::Free).count()
}

/// True of a callback that waits, or is in the batch of a drainer.
fn is_somewhere(s: &State, c: Callback) -> bool {
    s.queue.contains(&c) || s.hands.iter().any(|hands| hands.doing != Doing::Free && hands.batch.contains(&c))
}

/// True if one thing occurs more than once.
pub fn has_twice<T: PartialEq>(things: &[T]) -> bool {
    things.iter().enumerate().any(|(at, thing)| things[..at].contains(thing))
}

/// The shortest way, in words and at the default size, to a violation of a property whose sentence begins with these words.
pub fn broken(words: &str) -> Option<(&'static str, Vec<String>)> {
    SIZE.shortest(words).map(|(sentence, way)| (sentence, way.iter().map(Action::to_string).collect()))
}

/// A measure that each action makes smaller, in lexicographic order: the adds to come, the completer, the
/// completion, the hand-overs to come, the queue, and the progress of the threads.
pub fn measure(model: &Protocol, s: &State) -> (usize, bool, bool, usize, usize, usize) {
    let over = s.removed.len() + s.handed.len();
    let progress = s.hands.iter().map(|hands| hands.doing as usize).sum();
    let to_add = model.callbacks - s.added;
    (to_add, s.completer, !is_done(s), s.added.saturating_sub(over), s.queue.len(), progress)
}

/// The refinement mapping: the state of the specification that this one stands for.
fn abstraction(s: &State) -> Spec {
    let mut spec = Spec::new();
    let held = s.hands.iter().flat_map(|hands| &hands.batch);
    s.handed.iter().chain(held).chain(&s.queue).for_each(|&c| spec.add(c, is_tagged(c)));
    s.outcome.map(|outcome| spec.complete(outcome));
    spec
}

/// Takes the specification's step for a client's lock section, and returns its answer. A drainer's action is no step of
/// the specification.
fn carry_out(spec: &mut Spec, action: Action, s: &State) -> Option<Answer> {
    match action {
        Action::Add(_) => {
            spec.add(s.added, is_tagged(s.added));
            None
        }
        Action::Remove(_, c) => Some(Answer::Did(spec.remove(c))),
        Action::RemoveAll(_) => Some(Answer::Count(spec.remove_all().len())),
        Action::Complete(t) => Some(Answer::Did(spec.complete(Value::Finished(t)))),
        Action::DropCompleter(_) => {
            spec.complete(Value::Abandoned);
            None
        }
        _ => None,
    }
}
