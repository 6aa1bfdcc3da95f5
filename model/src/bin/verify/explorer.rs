//! `cargo verify explore`: the states of the protocol in a browser, on a page that explains them.
//!
//! The states are shown by stateright's own explorer, in a frame of the page. It listens at a port that only this program
//! knows, which passes the requests of the frame on: the browser sees one address.

use super::print;
use minijinja::{Environment, context};
use serde::Serialize;
use stateright::{Expectation, Model, Path};
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{self, Command, Stdio};
use std::{fmt, str, thread};
use tiny_http::{Header, Method, Request, Response, ResponseBox, Server};
use whendone_model::project::copy::{ProjectCopy, folder_in_target, project, target};
use whendone_model::project::files::Lock;
use whendone_model::project::page::fill;
use whendone_model::project::vendored::verifier_of;
use whendone_model::protocol::model::{Action, State, is_tagged};
use whendone_model::protocol::properties::{Protocol, SIZE};
use whendone_model::runner::interrupt::on_end_of_input;
use whendone_model::runner::mutants::bug_of_the_protocol;
use whendone_model::runner::part::Found;
use whendone_model::scenario::names::letter;

const TEMPLATE: &str = include_str!("explorer.html");

/// The address of the page in the frame.
const FRAME: &str = "/states";

/// The beginning of our page's addresses: stateright's name of a path follows, at whose end the page opens.
const PAGE: &str = "/steps/";

/// stateright's name of the path that ends at the initial state.
const START: &str = "0";

/// Serves the page to this machine only, until it is interrupted. It opens at a state that violates the property `broken`;
/// `planted` is the bug that this program has.
pub fn explore(port: u16, broken: Option<&str>, planted: Option<&str>) -> Result<Found, Box<dyn Error>> {
    if planted.is_some() {
        on_end_of_input(|| process::exit(1));
    }
    let failing = broken.map(|words| Failing::find(words, planted.is_some())).transpose()?;
    let listener = listen(port)?;
    let address = listener.local_addr()?;
    let page = Page { planted, failing, frame: Frame::begin()? };
    let server = Server::from_listener(listener, None).map_err(|error| error.to_string())?;
    let path = match &page.failing {
        Some(failing) => {
            print(failing)?;
            format!("{PAGE}{}", failing.end())
        }
        None => "/".to_owned(),
    };
    let Protocol { threads, callbacks } = SIZE;
    print(format_args!(
        "the protocol with {threads} threads and {callbacks} callbacks: http://{address}{path} until Ctrl-C"
    ))?;
    for request in server.incoming_requests() {
        let answer = page.answer(&request);
        // A browser that does not wait for the answer is no error.
        drop(request.respond(answer));
    }
    Ok(Found::default())
}

/// Plants a bug in a copy of the verifier, which serves the page.
pub fn explore_bug(port: u16, name: &str) -> Result<Found, Box<dyn Error>> {
    let bug = bug_of_the_protocol(name)?;
    // A port that is taken is told before the build.
    drop(listen(port)?);
    let planted = bug.plant(&bug.edited_files(&project())?)?;
    let why = format!("{name}: {}", bug.why);
    print(format_args!(
        "{why}\nbuilding a copy of the verifier with this bug, which takes some minutes the first time"
    ))?;
    let folder = folder_in_target("explored")?;
    let lock = Lock::take(&folder, "project")?;
    let copy = ProjectCopy::new(folder.join("project"))?;
    planted.iter().try_for_each(|(file, text)| copy.write(file, text.as_bytes()))?;
    let verifier = verifier_of(&copy, "verify-bug")?;
    let mut run = Command::new(verifier.map_err(|printed| format!("{name} does not compile:\n{printed}"))?);
    run.args(["explore", "--broken", &bug.breaks, "--planted", &why, "--port", &port.to_string()]);
    let mut child = run.env("CARGO_TARGET_DIR", target()).stdin(Stdio::piped()).spawn()?;
    // The binary may be replaced now.
    drop(lock);
    // It ends when this process does, because then its standard input ends.
    let input = child.stdin.take();
    let end = child.wait()?;
    drop(input);
    Ok(Found { exit: end.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1), ..Found::default() })
}

fn listen(port: u16) -> Result<TcpListener, String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).map_err(|error| format!("{address}: {error}; choose another port with --port"))
}

/// A state that violates a property, and the shortest path to it.
#[derive(Serialize)]
struct Failing {
    sentence: &'static str,
    steps: Vec<Step>,
}

/// A step of a path, in words, and stateright's name of the path up to it.
#[derive(Serialize)]
struct Step {
    text: String,
    path: String,
}

impl Failing {
    /// Finds a state that violates a property whose sentence begins with these words.
    ///
    /// # Errors
    ///
    /// If there is no such property, or no such state.
    fn find(words: &str, is_planted: bool) -> Result<Self, String> {
        if SIZE.always(words).is_empty() {
            return Err(format!(
                "no property of all states begins with `{words}`; there are:\n{}",
                sentences().join("\n")
            ));
        }
        let none = || {
            let instead = if is_planted { ", although a bug is planted" } else { "; --bug plants a bug" };
            format!("no state violates {words}, so there is no path to open at{instead}")
        };
        let (sentence, way) = SIZE.shortest(words).ok_or_else(none)?;
        Ok(Failing { sentence, steps: steps(&way)? })
    }

    /// The path to the state.
    fn end(&self) -> &str {
        self.steps.last().map_or(START, |step| &step.path)
    }
}

/// The sentences of the properties that hold in every state.
fn sentences() -> Vec<&'static str> {
    let properties = SIZE.properties().into_iter();
    properties.filter(|one| one.expectation == Expectation::Always).map(|one| one.name).collect()
}

/// The steps of a way, the initial state first.
fn steps(way: &[Action]) -> Result<Vec<Step>, String> {
    let path = Path::from_actions(&SIZE, State::new(SIZE.threads), way).ok_or("the path is not stateright's")?;
    let path = path.encode(&SIZE);
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    let texts = ["a pending cell without callbacks".to_owned()].into_iter().chain(way.iter().map(Action::to_string));
    Ok(texts.zip(ends).map(|(text, end)| Step { text, path: path[..end].to_owned() }).collect())
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the shortest path to a state that violates: {}", self.sentence)?;
        let steps = self.steps.iter().enumerate().skip(1);
        steps.into_iter().try_for_each(|(n, step)| writeln!(f, "    {n}  {}", step.text))
    }
}

/// Our page, and the frame in it.
struct Page<'a> {
    planted: Option<&'a str>,
    failing: Option<Failing>,
    frame: Frame,
}

impl Page<'_> {
    fn answer(&self, request: &Request) -> ResponseBox {
        let answered = match (request.method(), request.url()) {
            (Method::Get, "/") => self.at(self.failing.as_ref().map_or(START, Failing::end)),
            (Method::Get, FRAME) => self.frame.page(),
            (Method::Get, url) if url.starts_with(PAGE) => self.at(&url[PAGE.len()..]),
            (method, url) => self.frame.ask(method, url).map(Answer::response),
        };
        let failed =
            |error: io::Error| Response::from_string(format!("stateright: {error}")).with_status_code(502).boxed();
        answered.unwrap_or_else(failed)
    }

    /// The page, with the frame at the end of a path. If there is no such path: what stateright says.
    fn at(&self, path: &str) -> io::Result<ResponseBox> {
        let known = self.frame.ask(&Method::Get, &format!("/.states/{path}"))?;
        if known.status != 200 {
            return Ok(known.response());
        }
        let Protocol { threads, callbacks } = SIZE;
        let actions: Vec<_> =
            Action::all(1, 1).into_iter().map(|action| (action.to_string(), meaning(action))).collect();
        let letters: Vec<_> = (0..callbacks).map(|c| (letter(c), is_tagged(c))).collect();
        let Page { planted, failing, .. } = self;
        let frame = format!("{FRAME}#/steps/{path}");
        let values = context! { frame, threads, callbacks, planted, failing, actions, letters };
        let page = fill(Environment::new(), TEMPLATE, values).map_err(io::Error::other)?;
        Ok(html(page))
    }
}

fn html(text: impl Into<Vec<u8>>) -> ResponseBox {
    let header = Header::from_bytes("Content-Type", "text/html; charset=utf-8").expect("ASCII");
    Response::from_data(text).with_header(header).boxed()
}

/// An action, explained to a reader who has not seen the code.
fn meaning(action: Action) -> &'static str {
    match action {
        Action::Add(_) => {
            "Until the cell is settled the new callback goes to the end of the queue. On a settled cell it becomes the \
             thread's batch, the phase becomes Draining, and the thread drains."
        }
        Action::Remove(..) => "The callback is taken out of the queue of a pending cell, and is never handed over.",
        Action::RemoveAll(_) => {
            "Every callback with the shared tag that waits in the queue of a pending cell is taken out."
        }
        Action::Complete(_) => {
            "In one lock section the outcome is set, the phase becomes Draining, and the whole queue becomes the batch of \
             this thread, which drains."
        }
        Action::DropCompleter(_) => {
            "The handle that can complete the task is gone. A task that was not completed is completed now, with the outcome \
             abandoned, and this thread drains."
        }
        Action::PutOffDrain(_) => {
            "The thread got the drain while it was inside a hand-over of another task. It keeps the drain for later, so \
             that hand-overs do not nest."
        }
        Action::ResumeDrain(_) => "The drain of the other task has ended. The thread begins the one that it kept.",
        Action::HandOver(_) => {
            "The first callback of the batch goes to its scheduler. No lock is held meanwhile: a caller's code runs, and may \
             call every operation."
        }
        Action::Return(_) => "The scheduler returns, and the drain goes on.",
        Action::Panic(_) => "The scheduler panics, the panic is caught, and the drain goes on all the same.",
        Action::Refuse(_) => "The scheduler does not take the callback. That is reported, and the drain goes on.",
        Action::Take(_) => {
            "The batch is empty, so the drainer looks at the queue under the lock. Callbacks were added meanwhile: all of \
             them are its next batch."
        }
        Action::Settle(_) => {
            "The batch is empty, and so is the queue. In the same lock section the phase becomes Settled, and the drain ends."
        }
    }
}

/// stateright's explorer.
struct Frame {
    address: SocketAddr,
}

impl Frame {
    /// Begins it at a free port, and lets it visit all states.
    fn begin() -> Result<Self, String> {
        let frame = Frame { address: listen(0).and_then(|free| free.local_addr().map_err(|error| error.to_string()))? };
        let address = frame.address;
        let served = thread::spawn(move || drop(SIZE.checker().serve(address)));
        // It does not say when it is ready.
        while frame.ask(&Method::Post, "/.runtocompletion").is_err() {
            if served.is_finished() {
                return Err(format!("stateright's explorer does not start at {address}"));
            }
            thread::yield_now();
        }
        Ok(frame)
    }

    fn ask(&self, method: &Method, url: &str) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(self.address)?;
        // In this version of HTTP the end of the connection is that of the answer.
        write!(stream, "{method} {url} HTTP/1.0\r\n\r\n")?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text)?;
        Answer::parse(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Its page, whose title leads to the initial state instead of our page.
    fn page(&self) -> io::Result<ResponseBox> {
        let page = self.ask(&Method::Get, "/")?;
        let text = String::from_utf8_lossy(&page.body);
        Ok(html(text.replace("href=\"/\"", &format!("href=\"{FRAME}#/steps/{START}\""))))
    }
}

struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Answer {
    fn parse(text: &[u8]) -> Option<Self> {
        let end = text.windows(4).position(|four| four == b"\r\n\r\n")?;
        let status = str::from_utf8(&text[..end]).ok()?.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, body: text[end + 4..].to_vec() })
    }

    fn response(self) -> ResponseBox {
        Response::from_data(self.body).with_status_code(self.status).boxed()
    }
}
