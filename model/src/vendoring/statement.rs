//! The result of a check for machines: an in-toto statement whose predicate is a test result.

use crate::project::sources::digest;
use crate::vendoring::conformance::{Conformance, Finding};
use serde_json::{Value, json};

/// The statement about a facade.
pub fn of_facade(conformance: &Conformance) -> Value {
    let facade = &conformance.facade;
    let listed = |is: fn(&Finding) -> bool| -> Vec<String> {
        conformance
            .numbered()
            .filter(|(.., finding)| is(finding))
            .map(|(number, name, _)| format!("{number} {name}"))
            .collect()
    };
    let failed = listed(|finding| !finding.broken.is_empty());
    let passed = listed(|finding| finding.broken.is_empty() && !finding.held.is_empty());
    let mut warned = listed(|finding| finding.broken.is_empty() && finding.held.is_empty());
    warned.extend(conformance.orders.as_ref().err().map(|reason| format!("memory orders not shown: {reason}")));
    statement(&[("sync.rs".to_owned(), digest([&facade.text]))], [passed, warned, failed])
}

fn statement(files: &[(String, String)], [passed, warned, failed]: [Vec<String>; 3]) -> Value {
    let result = match (failed.is_empty(), warned.is_empty()) {
        (false, _) => "FAILED",
        (true, false) => "WARNED",
        (true, true) => "PASSED",
    };
    let subject: Vec<Value> =
        files.iter().map(|(name, digest)| json!({ "name": name, "digest": { "sha256": digest } })).collect();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": result,
            "configuration": [{ "name": "whendone-model", "annotations": { "version": env!("CARGO_PKG_VERSION") } }],
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
        },
    })
}
