//! The scenario language, read and printed: what is printed reads back, what is refused is pointed at.

use crate::fuzzing::bytes::decode;
use crate::scenario::{Malformed, Scenario};

/// Letters that join words, part them, also where they are wider than a byte, or belong to none.
const PUT_IN: [char; 5] = [' ', '\u{3000}', '9', '|', '{'];

/// Reads the bytes as a text; prints the scenario that they stand for, reads that, and reads it once more with a letter
/// left out, and with one put in and a word behind it that is none.
///
/// # Panics
///
/// If a text is read as one scenario and printed as another, or is refused without a reason, outside of it, or at a
/// place where the word is not that the reason names.
pub fn check(bytes: &[u8]) {
    read(&String::from_utf8_lossy(bytes));
    let scenario = decode(bytes);
    let text = scenario.to_string();
    assert_eq!(text.parse().as_ref(), Ok(&scenario), "'{text}'");
    let letters: Vec<char> = text.chars().collect();
    let chosen = bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>();
    let (before, behind) = letters.split_at(chosen % letters.len());
    read(&before.iter().chain(&behind[1..]).collect::<String>());
    let put_in = [PUT_IN[chosen % PUT_IN.len()]];
    read(&before.iter().chain(&put_in).chain(behind).chain(&[' ', '?']).collect::<String>());
}

fn read(text: &str) {
    match text.parse::<Scenario>() {
        Ok(scenario) => {
            let printed = scenario.to_string();
            assert_eq!(printed.parse().as_ref(), Ok(&scenario), "'{text}' is printed as '{printed}'");
        }
        Err(malformed) => {
            let Malformed { column, reason, .. } = &malformed;
            let end = text.chars().count() + 1;
            assert!(!reason.is_empty() && (1..=end).contains(column), "'{text}': column {column}, {reason}");
            let named = reason.strip_prefix('`').and_then(|named| named.split_once('`'));
            let there: String = text.chars().skip(column - 1).collect();
            assert!(named.is_none_or(|(word, _)| there.starts_with(word)), "'{text}': column {column}, {reason}");
            let shown = malformed.to_string();
            let caret = shown.lines().last().expect("it says something");
            assert_eq!(
                (caret.trim_start(), caret.chars().count()),
                ("^", column + 2),
                "'{text}' is refused as\n{shown}"
            );
        }
    }
}
