//! The protocol's states and actions in words, for a reader who has not seen the code.

use super::model::{Action, Callback, Doing, Hands, State};
use std::fmt;
use whendone_model::protocol::phase::Phase;
use whendone_model::scenario::names::letter;

/// Printed as a page and not as a data structure: stateright's explorer prints states by `Debug`.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Pending => "Pending    not completed: callbacks wait, and can be removed",
            Phase::Draining => "Draining   completed, and a thread hands the callbacks over",
            Phase::Settled => "Settled    completed, no callback waits, no thread drains",
        };
        let outcome = self.outcome.map_or("none".to_owned(), |outcome| outcome.to_string());
        let completer = if self.completer { "" } else { ", completer dropped" };
        writeln!(f, "phase      {phase}")?;
        writeln!(f, "outcome    {outcome}{completer}")?;
        writeln!(f, "queue      {}", letters(&self.queue))?;
        let threads = self.hands.iter().enumerate();
        threads.into_iter().try_for_each(|(t, hands)| writeln!(f, "thread {t}   {}", self.progress(hands)))?;
        writeln!(f, "handed     {}", letters(&self.handed))?;
        write!(f, "removed    {}", letters(&self.removed))
    }
}

impl State {
    fn progress(&self, hands: &Hands) -> String {
        let batch = letters(&hands.batch);
        let next = match (hands.batch.first(), hands.doing) {
            (_, Doing::Free) => return "free".to_owned(),
            (_, Doing::PutOff) => {
                return format!("DRAINS     later, after the drain that it is in; batch: {batch}");
            }
            (_, Doing::HandsOver) => {
                let inside = self.handed.last().map_or_else(String::new, |&c| letter(c));
                return format!("DRAINS     is inside the hand-over of {inside}; batch: {batch}");
            }
            (Some(&first), _) => format!("hands over {}", letter(first)),
            (None, _) => "looks at the queue".to_owned(),
        };
        format!("DRAINS     next it {next}; batch: {batch}")
    }
}

fn letters(callbacks: &[Callback]) -> String {
    match callbacks {
        [] => "-".to_owned(),
        some => some.iter().map(|&c| letter(c)).collect::<Vec<_>>().join(" "),
    }
}

impl Action {
    /// The action's name in the proof: `hand_over`.
    pub fn name(self) -> String {
        let variant = format!("{self:?}");
        let mut name = String::new();
        for letter in variant.chars().take_while(|letter| *letter != '(') {
            let is_start = letter.is_uppercase() && !name.is_empty();
            name.extend(is_start.then_some('_').into_iter().chain([letter.to_ascii_lowercase()]));
        }
        name
    }
}

/// `thread 0 looks, and takes the queue`
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} ", self.thread())?;
        f.write_str(match self {
            Action::Add(_) => "adds a callback",
            Action::Remove(_, c) => return write!(f, "removes {}", letter(*c)),
            Action::RemoveAll(_) => "removes all tagged callbacks",
            Action::Complete(_) => "completes",
            Action::DropCompleter(_) => "drops the completer",
            Action::PutOffDrain(_) => "is in another drain, and defers this one",
            Action::ResumeDrain(_) => "resumes the deferred drain",
            Action::HandOver(_) => "hands over the first of its batch",
            Action::Return(_) => "returns from the hand-over",
            Action::Panic(_) => "leaves the hand-over by a panic",
            Action::Refuse(_) => "learns that the hand-over is refused",
            Action::Take(_) => "looks, and takes the queue",
            Action::Settle(_) => "looks, finds the queue empty and settles",
        })
    }
}
