//! A page in HTML for executions: a column for each thread, lock sections in boxes, and beside each step the queue, the
//! phase and the state of the protocol. It needs no network and no scripts.

use super::steps::{Drawn, SCHEMA};
use crate::project::origin::in_own_words;
use crate::project::page::fill;
use minijinja::{Environment, context};
use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("page.html");

/// The page of these executions, each under a tab of its own.
///
/// # Errors
///
/// If the template cannot be filled in.
pub fn page(title: &str, drawn: &[Drawn]) -> Result<String, String> {
    Ok(in_own_words(&fill(Environment::new(), TEMPLATE, context! { title, drawn })?))
}

/// The executions for other programs; `docs/VERIFICATION.md` describes the form.
pub fn data(drawn: &[Drawn]) -> Value {
    json!({ "schema": SCHEMA, "executions": drawn })
}

/// The executions in Chrome's trace format.
pub fn chrome_trace(drawn: &[Drawn]) -> Value {
    let events: Vec<&Value> = drawn.iter().flat_map(|drawn| &drawn.chrome).collect();
    json!({ "displayTimeUnit": "ms", "traceEvents": events })
}
