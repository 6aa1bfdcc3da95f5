//! Where a report goes if no loop takes it: the hook of the process.

use super::report::Report;
use std::sync::OnceLock;

type Hook = Box<dyn Fn(&Report) + Send + Sync>;

static HOOK: OnceLock<Hook> = OnceLock::new();

/// Sets the exception hook of this process, which is told of every failure that no caller could be
/// given (D5). It can be set once; an event loop may have its own. Without one, a report is printed
/// to standard error.
///
/// The hook runs on the thread on which the failure happened, with no lock held.
///
/// # Errors
///
/// If there is one already, the new one is given back.
///
/// # Panics
///
/// A hook that panics does no harm: both failures are printed (R68).
///
/// # Re-entrancy
///
/// The hook may call everything. What fails in there is reported to it again.
///
/// # Examples
///
/// ```
/// whendone::set_exception_hook(|report| eprintln!("{report}")).ok().expect("set once");
/// assert!(whendone::set_exception_hook(|_| ()).is_err());
/// ```
pub fn set_exception_hook<F>(hook: F) -> Result<(), F>
where
    F: Fn(&Report) + Send + Sync + 'static,
{
    let mut hook = Some(hook);
    HOOK.get_or_init(|| Box::new(hook.take().expect("called once")));
    match hook {
        None => Ok(()),
        Some(hook) => Err(hook),
    }
}

/// Tells the hook of the process, or standard error.
pub(crate) fn report(report: &Report) {
    match HOOK.get() {
        Some(hook) => hook(report),
        None => print(report),
    }
}

/// What remains when there is no hook, or it failed.
pub(crate) fn print(report: &Report) {
    eprintln!("{report}");
}
