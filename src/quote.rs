//! How a task's name is printed: as `%r` prints it in asyncio.

use std::fmt::{self, Write};

/// A name in quotes, on one line whatever it contains.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains('\'') && !self.0.contains('"') { '"' } else { '\'' };
        f.write_char(quote)?;
        self.0.chars().try_for_each(|c| write_char(f, c, quote))?;
        f.write_char(quote)
    }
}

fn write_char(f: &mut fmt::Formatter<'_>, c: char, quote: char) -> fmt::Result {
    match c {
        '\t' => f.write_str("\\t"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\\' => f.write_str("\\\\"),
        _ if c == quote => write!(f, "\\{c}"),
        _ if is_printable(c) => f.write_char(c),
        '\0'..='\u{ff}' => write!(f, "\\x{:02x}", u32::from(c)),
        '\u{100}'..='\u{ffff}' => write!(f, "\\u{:04x}", u32::from(c)),
        _ => write!(f, "\\U{:08x}", u32::from(c)),
    }
}

/// Both languages print what Unicode calls neither "other" nor a separator, and the space.
fn is_printable(c: char) -> bool {
    // Behind a letter, because a combining mark that comes first is escaped.
    c.is_ascii_graphic() || !format!("a{c}").escape_debug().any(|escaped| escaped == '\\')
}
