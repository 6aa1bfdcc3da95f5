//! The protocol's states and steps in words, for someone who has not seen the code.

use super::model::{Callback, Doing, Hands, State, Step};
use std::fmt;
use whendone_model::protocol::phase::Phase;
use whendone_model::scenario::names::letter;

/// A page, not a data structure: the explorer prints states by `Debug`.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Pending => "Pending    not completed: callbacks wait, and can be removed",
            Phase::Draining => "Draining   completed, and a thread hands the callbacks over",
            Phase::Settled => "Settled    completed, nothing waits, nobody drains",
        };
        let outcome = self.outcome.map_or("none".to_owned(), |outcome| outcome.to_string());
        let completer = if self.completer { "" } else { ", completer dropped" };
        writeln!(f, "phase      {phase}")?;
        writeln!(f, "outcome    {outcome}{completer}")?;
        writeln!(f, "queue      {}", letters(&self.queue))?;
        self.hands.iter().enumerate().try_for_each(|(t, hands)| writeln!(f, "thread {t}   {}", self.stands(hands)))?;
        writeln!(f, "handed     {}", letters(&self.handed))?;
        write!(f, "removed    {}", letters(&self.removed))
    }
}

impl State {
    fn stands(&self, hands: &Hands) -> String {
        let batch = letters(&hands.batch);
        let next = match (hands.batch.first(), hands.doing) {
            (_, Doing::Free) => return "free".to_owned(),
            (_, Doing::PutOff) => {
                return format!("DRAINS     later, when the drain it is in is through; batch: {batch}");
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

impl Step {
    /// As the proof calls it: `hand_over`.
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
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} ", self.thread())?;
        f.write_str(match self {
            Step::Add(_) => "adds a callback",
            Step::Remove(_, c) => return write!(f, "removes {}", letter(*c)),
            Step::RemoveAll(_) => "removes all that are tagged",
            Step::Complete(_) => "completes",
            Step::DropCompleter(_) => "drops the completer",
            Step::PutOffDrain(_) => "is in another drain, and puts this one off",
            Step::ResumeDrain(_) => "resumes the drain that was put off",
            Step::HandOver(_) => "hands over the first of its batch",
            Step::Return(_) => "returns from the hand-over",
            Step::Panic(_) => "comes out of the hand-over by a panic",
            Step::Refuse(_) => "finds the hand-over refused",
            Step::Take(_) => "looks, and takes the queue",
            Step::Settle(_) => "looks, finds nothing and settles",
        })
    }
}
