//! Pages in HTML, filled in from their templates.

use minijinja::Environment;
use serde::Serialize;

/// Fills in a template. Texts are escaped.
///
/// # Errors
///
/// If the template or a value does not fit: where, and why.
pub fn fill(mut environment: Environment<'_>, template: &str, values: impl Serialize) -> Result<String, String> {
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    // The ending of the name turns on the escaping.
    environment.render_named_str("page.html", template, values).map_err(|error| format!("{error:#}"))
}
