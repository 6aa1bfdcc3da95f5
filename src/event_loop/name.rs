//! The name of a task of a loop: given, or made of its number, without an allocation.

/// The name of a task: in the order of spawning `Task-1`, `Task-2` and so on, unless it was given one (D13).
pub(super) enum Name {
    Given(Box<str>),
    /// The text, in the last bytes from this one on.
    Numbered {
        text: [u8; LONGEST],
        from: u8,
    },
}

const PREFIX: &[u8] = b"Task-";
const LONGEST: usize = PREFIX.len() + 20;

impl Name {
    pub(super) fn numbered(number: u64) -> Self {
        let (mut text, mut from, mut rest) = ([0; LONGEST], LONGEST, number);
        loop {
            from -= 1;
            text[from] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        from -= PREFIX.len();
        text[from..][..PREFIX.len()].copy_from_slice(PREFIX);
        Name::Numbered { text, from: from as u8 }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Name::Given(name) => name,
            Name::Numbered { text, from } => std::str::from_utf8(&text[usize::from(*from)..]).unwrap_or_default(),
        }
    }
}
