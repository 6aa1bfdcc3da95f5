//! The methods of an `asyncio.Future` that touch its state.

use super::state::{Outcome, Owed, Registration, State};
use super::sync::Mutex;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

pyo3::import_exception!(asyncio, CancelledError);
pyo3::import_exception!(asyncio, InvalidStateError);

/// The base of the classes in `whendone_future.py`.
#[pyclass(subclass, frozen, module = "_whendone")]
pub(crate) struct Core {
    /// `None` before `__init__`, and once the garbage collector has cleared the future.
    state: Mutex<Option<Arc<State>>>,
    /// The message of a cancellation, once it has been changed.
    message: Mutex<Option<Py<PyAny>>>,
    is_blocking: AtomicBool,
    /// True once somebody has read the outcome.
    is_retrieved: AtomicBool,
}

#[pymethods]
impl Core {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn __new__(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        let (is_blocking, is_retrieved) = (AtomicBool::new(false), AtomicBool::new(false));
        Core { state: Mutex::new(None), message: Mutex::new(None), is_blocking, is_retrieved }
    }

    #[pyo3(signature = (*, r#loop = None))]
    fn __init__(slf: &Bound<'_, Self>, r#loop: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let py = slf.py();
        let event_loop = match r#loop {
            Some(given) => given,
            None => current_loop(py)?,
        };
        let is_debug = event_loop.call_method0("get_debug")?.is_truthy()?;
        let traceback = if is_debug { Some(extract_stack(py)?) } else { None };
        let call_soon = slf.getattr("_call_soon")?.cast_into::<PyString>()?;
        let mut state = Some(Arc::new(State::new(event_loop.unbind(), traceback, call_soon.unbind())));
        let mut held = slf.get().state.lock();
        if held.is_none() {
            *held = state.take();
        }
        drop(held);
        match state {
            None => Ok(()),
            Some(_) => Err(PyRuntimeError::new_err("Future object is initialized already.")),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&*self.message.lock())?;
        let held = self.state.lock();
        held.as_ref().map_or(Ok(()), |state| state.traverse(&visit))
    }

    fn __clear__(&self) {
        let state = self.state.lock().take();
        let message = self.message.lock().take();
        drop((state, message)); // after the lock sections
    }

    fn get_loop(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.state()?.event_loop.clone_ref(py))
    }

    fn done(&self) -> bool {
        self.known().is_some_and(|state| state.outcome().is_some())
    }

    fn cancelled(&self) -> bool {
        self.known().is_some_and(|state| matches!(state.outcome(), Some(Outcome::Cancelled(_))))
    }

    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let state = self.known();
        match self.retrieve(state.as_deref()) {
            None => Err(InvalidStateError::new_err("Result is not ready.")),
            Some(Outcome::Cancelled(_)) => Err(self.cancelled_error(py)),
            Some(Outcome::Result(value)) => Ok(value.clone_ref(py)),
            Some(Outcome::Exception(exception, traceback)) => {
                let exception = exception.bind(py);
                exception.setattr("__traceback__", traceback)?;
                Err(PyErr::from_value(exception.clone()))
            }
        }
    }

    fn exception(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let state = self.known();
        match self.retrieve(state.as_deref()) {
            None => Err(InvalidStateError::new_err("Exception is not set.")),
            Some(Outcome::Cancelled(_)) => Err(self.cancelled_error(py)),
            Some(Outcome::Result(_)) => Ok(None),
            Some(Outcome::Exception(exception, _)) => Ok(Some(exception.clone_ref(py))),
        }
    }

    fn set_result(slf: &Bound<'_, Self>, result: Py<PyAny>) -> PyResult<()> {
        Self::complete(slf, Outcome::Result(result))
    }

    fn set_exception(slf: &Bound<'_, Self>, exception: Bound<'_, PyAny>) -> PyResult<()> {
        if slf.get().state()?.outcome().is_some() {
            return Err(InvalidStateError::new_err("invalid state"));
        }
        let exception = instance(exception)?;
        let traceback = exception.getattr("__traceback__")?.unbind();
        Self::complete(slf, Outcome::Exception(exception.unbind(), Some(traceback)))
    }

    #[pyo3(signature = (msg = None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let (core, state) = (slf.get(), slf.get().state()?);
        match state.complete(Outcome::Cancelled(msg)) {
            Ok(owed) => Self::hand_over(slf, &state, owed).map(|()| true),
            Err(_) => {
                core.is_retrieved.store(true, SeqCst);
                Ok(false)
            }
        }
    }

    #[pyo3(signature = (r#fn, *, context = None))]
    fn add_done_callback(slf: &Bound<'_, Self>, r#fn: Py<PyAny>, context: Option<Py<PyAny>>) -> PyResult<()> {
        let (py, state) = (slf.py(), slf.get().state()?);
        let context = match context {
            Some(context) => context,
            None => py.import("contextvars")?.call_method0("copy_context")?.unbind(),
        };
        match state.add(r#fn, context) {
            Some(owed) => Self::hand_over(slf, &state, owed),
            None => Ok(()),
        }
    }

    /// Asks each callback that waits whether it is equal, and then removes those that are. Who asks may do everything:
    /// the answer counts those that still waited.
    fn remove_done_callback(&self, r#fn: &Bound<'_, PyAny>) -> PyResult<usize> {
        let state = self.state()?;
        let mut equal = Vec::new();
        for registration in state.waiting() {
            let callback = registration.callback.bind(r#fn.py());
            if callback.is(r#fn) || callback.eq(r#fn)? {
                equal.push(registration);
            }
        }
        Ok(equal.iter().filter(|registration| state.remove(registration)).count())
    }

    fn _make_cancelled_error(&self, py: Python<'_>) -> Py<PyAny> {
        self.cancelled_error(py).into_value(py).into_any()
    }

    #[getter]
    fn _loop(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        Some(self.known()?.event_loop.clone_ref(py))
    }

    #[getter]
    fn _state(&self) -> &'static str {
        match self.known().as_ref().and_then(|state| state.outcome()) {
            None => "PENDING",
            Some(Outcome::Cancelled(_)) => "CANCELLED",
            Some(_) => "FINISHED",
        }
    }

    #[getter]
    fn _result(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match self.known()?.outcome()? {
            Outcome::Result(value) => Some(value.clone_ref(py)),
            _ => None,
        }
    }

    #[getter]
    fn _exception(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match self.known()?.outcome()? {
            Outcome::Exception(exception, _) => Some(exception.clone_ref(py)),
            _ => None,
        }
    }

    /// The callbacks that wait, each with its context; `None` if there are none.
    #[getter]
    fn _callbacks(&self, py: Python<'_>) -> Option<Vec<(Py<PyAny>, Py<PyAny>)>> {
        let waiting = self.known()?.waiting();
        let pairs = waiting.iter().map(|waits| (waits.callback.clone_ref(py), waits.context.clone_ref(py)));
        (!waiting.is_empty()).then(|| pairs.collect())
    }

    #[getter]
    fn _source_traceback(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        Some(self.known()?.source_traceback.as_ref()?.clone_ref(py))
    }

    #[getter]
    fn _cancel_message(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let changed = self.message.lock().as_ref().map(|message| message.clone_ref(py));
        changed.or_else(|| match self.known()?.outcome()? {
            Outcome::Cancelled(message) => Some(message.as_ref()?.clone_ref(py)),
            _ => None,
        })
    }

    #[setter(_cancel_message)]
    fn change_message(&self, message: Py<PyAny>) {
        let before = self.message.lock().replace(message);
        drop(before); // after the lock section
    }

    #[getter]
    fn _asyncio_future_blocking(&self) -> bool {
        self.is_blocking.load(SeqCst)
    }

    #[setter(_asyncio_future_blocking)]
    fn block(&self, is_blocking: bool) {
        self.is_blocking.store(is_blocking, SeqCst);
    }

    /// True if there is an exception that nobody has retrieved.
    #[getter]
    fn _log_traceback(&self) -> bool {
        let is_exception = |state: Arc<State>| matches!(state.outcome(), Some(Outcome::Exception(..)));
        !self.is_retrieved.load(SeqCst) && self.known().is_some_and(is_exception)
    }

    #[setter(_log_traceback)]
    fn be_silent(&self, log: &Bound<'_, PyAny>) -> PyResult<()> {
        if log.is_truthy()? {
            return Err(PyValueError::new_err("_log_traceback can only be set to False"));
        }
        let state = self.known();
        self.retrieve(state.as_deref());
        Ok(())
    }
}

impl Core {
    fn known(&self) -> Option<Arc<State>> {
        self.state.lock().clone()
    }

    fn state(&self) -> PyResult<Arc<State>> {
        self.known().ok_or_else(|| PyRuntimeError::new_err("Future object is not initialized."))
    }

    /// The outcome, which counts as retrieved.
    fn retrieve<'a>(&self, state: Option<&'a State>) -> Option<&'a Outcome> {
        let outcome = state?.outcome()?;
        self.is_retrieved.store(true, SeqCst);
        Some(outcome)
    }

    fn cancelled_error(&self, py: Python<'_>) -> PyErr {
        match self._cancel_message(py) {
            Some(message) => CancelledError::new_err((message,)),
            None => CancelledError::new_err(()),
        }
    }

    fn complete(slf: &Bound<'_, Self>, outcome: Outcome) -> PyResult<()> {
        let state = slf.get().state()?;
        match state.complete(outcome) {
            Ok(owed) => Self::hand_over(slf, &state, owed),
            Err(_) => Err(InvalidStateError::new_err("invalid state")),
        }
    }

    /// Gives each callback to the loop. If the loop refuses some, the others reach it all the same, and the first error
    /// goes to the caller (P14).
    fn hand_over(slf: &Bound<'_, Self>, state: &State, owed: Owed) -> PyResult<()> {
        let mut failed = None;
        state.drain(owed, |registration| match (call_soon(slf, state, registration), &failed) {
            (Ok(()), _) => {}
            (Err(error), None) => failed = Some(error),
            (Err(error), Some(_)) => error.write_unraisable(slf.py(), Some(slf)),
        });
        failed.map_or(Ok(()), Err)
    }
}

fn call_soon(future: &Bound<'_, Core>, state: &State, registration: &Registration) -> PyResult<()> {
    let py = future.py();
    let keywords = PyDict::new(py);
    keywords.set_item("context", &registration.context)?;
    let arguments = (&registration.callback, future);
    state.event_loop.bind(py).call_method(state.call_soon.bind(py), arguments, Some(&keywords)).map(drop)
}

/// The running loop, or else the one that is set. Python 3.11 has a function of its own for futures.
fn current_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let events = py.import("asyncio.events")?;
    match events.getattr_opt("_get_event_loop")? {
        Some(function) => function.call0(),
        None => events.call_method0("get_event_loop"),
    }
}

fn extract_stack(py: Python<'_>) -> PyResult<Py<PyAny>> {
    Ok(py.import("asyncio.format_helpers")?.call_method0("extract_stack")?.unbind())
}

/// An exception as it is set: an instance, also of a class. A `StopIteration` is refused, or from Python 3.12 on chained.
fn instance<'py>(exception: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = exception.py();
    let exception = if exception.is_instance_of::<PyType>() { exception.call0()? } else { exception };
    if !exception.is_instance_of::<pyo3::exceptions::PyBaseException>() {
        return Err(PyTypeError::new_err("invalid exception object"));
    }
    let objection = "StopIteration interacts badly with generators and cannot be raised into a Future";
    if py.version_info() < (3, 12) {
        let refused = exception.get_type().is(py.get_type::<PyStopIteration>());
        return if refused { Err(PyTypeError::new_err(objection)) } else { Ok(exception) };
    }
    if !exception.is_instance_of::<PyStopIteration>() {
        return Ok(exception);
    }
    let chained = PyRuntimeError::new_err(objection).into_value(py).into_bound(py).into_any();
    chained.setattr("__cause__", &exception)?;
    chained.setattr("__context__", &exception)?;
    Ok(chained)
}
