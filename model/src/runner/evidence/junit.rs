//! The report in JUnit's form, for machines that run builds.

use super::{Checked, Evidence, Kind};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;

/// A suite for each part, a test for each thing that was looked at.
pub fn junit(evidence: &Evidence) -> Result<String, String> {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for Checked { part, name, finding } in &evidence.checked {
        let status = match finding {
            None => TestCaseStatus::success(),
            Some(finding) => {
                let kind = if finding.kind == Kind::Red { NonSuccessKind::Failure } else { NonSuccessKind::Error };
                let mut status = TestCaseStatus::non_success(kind);
                status.set_message(finding.to_string());
                status
            }
        };
        let suite = suites.entry(part).or_insert_with(|| TestSuite::new(part.as_str()));
        suite.add_test_case(TestCase::new(name.as_str(), status));
    }
    let mut report = Report::new("cargo verify");
    report.add_test_suites(suites.into_values());
    report.to_string().map_err(|error| error.to_string())
}
