//! The fuzz target `text`: a printed scenario parses to itself, and an error points at its place.

use crate::fuzzing::bytes::decode;
use crate::scenario::{Malformed, Scenario};

/// Letters put into a text: separators, one of them wider than a byte, and marks that are wrong in most places.
const PUT_IN: [char; 5] = [' ', '\u{3000}', '9', '|', '{'];

/// Parses the bytes as a text. Then prints the scenario for these bytes and parses that: as it is, with a letter left out,
/// and with a letter put in and a wrong word appended.
///
/// # Panics
///
/// If a text is parsed as one scenario and printed as another; or if it is refused without a reason, at a column outside of
/// it, or at a column whose word is not the one that the reason names.
pub fn check(bytes: &[u8]) {
    parse(&String::from_utf8_lossy(bytes));
    let scenario = decode(bytes);
    let text = scenario.to_string();
    assert_eq!(text.parse().as_ref(), Ok(&scenario), "'{text}'");
    let letters: Vec<char> = text.chars().collect();
    let chosen = bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>();
    let (before, behind) = letters.split_at(chosen % letters.len());
    parse(&before.iter().chain(&behind[1..]).collect::<String>());
    let put_in = [PUT_IN[chosen % PUT_IN.len()]];
    parse(&before.iter().chain(&put_in).chain(behind).chain(&[' ', '?']).collect::<String>());
}

fn parse(text: &str) {
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
            let caret = shown.lines().last().expect("an error prints something");
            assert_eq!(
                (caret.trim_start(), caret.chars().count()),
                ("^", column + 2),
                "'{text}' is refused as\n{shown}"
            );
        }
    }
}
