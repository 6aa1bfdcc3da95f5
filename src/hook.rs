//! The exception hook of the process, for reports that no scheduler's own hook takes.

use super::report::Report;
use super::sync::unheard;
use std::sync::OnceLock;

type Hook = Box<dyn Fn(&Report) + Send + Sync>;

static HOOK: OnceLock<Hook> = OnceLock::new();

/// Sets the exception hook of this process, which receives a [`Report`] of every failure that could
/// not be returned to a caller ([D5]). It can be set once; an event loop may have its own. Without a
/// hook, reports are printed to standard error ([R65]).
///
/// The hook runs on the thread on which the failure happened, with no lock held.
///
/// # Errors
///
/// If the hook is set already, the new one is given back.
///
/// # Panics
///
/// A panic of the hook is contained: both failures are printed to standard error ([R68]).
///
/// # Re-entrancy
///
/// The hook may call everything ([D1]). A failure inside the hook is reported to the hook again.
///
/// # Examples
///
/// ```
/// whendone::set_exception_hook(|report| eprintln!("{report}")).ok().expect("set once");
/// assert!(whendone::set_exception_hook(|_| ()).is_err());
/// ```
///
/// [R65]: crate::rules#r65
/// [R68]: crate::rules#r68
/// [D1]: crate::rules#d1
/// [D5]: crate::rules#d5
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

/// Reports to the hook of the process, or to standard error.
pub(crate) fn report(report: &Report) {
    match HOOK.get() {
        Some(hook) => hook(report),
        None => print(report),
    }
}

/// Reports to standard error: the last resort if there is no hook, or the hook panicked.
pub(crate) fn print(report: &Report) {
    eprintln!("{report}");
    if report.panic.is_some() {
        unheard(report);
    }
}
