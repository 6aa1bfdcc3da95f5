//! The commands about the tools and the protocol: blind spots and proofs.

use super::print;
use serde_json::{Value, json};
use std::error::Error;
use std::panic;
use whendone_model::check::blind_spots::{BLIND_SPOTS, BlindSpot};
use whendone_model::project::copy::folder_in_target;
use whendone_model::project::files::write_atomically;
use whendone_model::proof::counterexample::show;
use whendone_model::proof::cross_check::{Agreement, cross_check};
use whendone_model::proof::obligations::{Proof, Theory};
use whendone_model::proof::queue::{self, QueueProof};
use whendone_model::proof::solver::Solver;
use whendone_model::proof::tie::Tie;
use whendone_model::proof::walks::Share;
use whendone_model::proof::why3::{Goal, Why3};
use whendone_model::runner::part::Found;

/// Lists the blind spots, and fails if a tool sees one of them now.
pub fn blind_spots() -> Result<Found, Box<dyn Error>> {
    // One of them panics on purpose.
    panic::set_hook(Box::new(|_| ()));
    let (mut all_unseen, mut listed) = (true, Vec::new());
    for spot in BLIND_SPOTS {
        let is_unseen = (spot.is_unseen)();
        all_unseen &= is_unseen;
        print(&spot)?;
        if !is_unseen {
            print("    SEEN NOW: remove it from model/src/check/blind_spots.rs, and add a scenario that checks it")?;
        }
        let BlindSpot { what, because, instead, .. } = spot;
        listed.push(json!({ "what": what, "because": because, "instead": instead, "unseen": is_unseen }));
    }
    Ok(Found { exit: u8::from(!all_unseen), figures: json!({ "spots": listed }), ..Found::default() })
}

/// Proves the protocol and the queue. The queue is looked at even if the protocol is refused.
pub fn proof(long: bool) -> Result<Found, Box<dyn Error>> {
    let share = if long { Share::LONG } else { Share::EVERYDAY };
    let protocol = prove_protocol()?;
    let queue = prove_queue(share)?;
    let is_proven = |part: &Value| part["proven"] == true;
    let skipped = queue["skipped"].as_str().map(|why| format!("the proof of the queue: {why}"));
    let green = is_proven(&protocol) && (is_proven(&queue) || skipped.is_some());
    let figures = json!({ "protocol": protocol, "queue": queue });
    Ok(Found { exit: u8::from(!green), figures, skipped: skipped.into_iter().collect(), error: None })
}

/// Asks both solvers for the proof of the protocol, and compares it with the explored one.
fn prove_protocol() -> Result<Value, Box<dyn Error>> {
    let missing = |missing: String| format!("the proof was SKIPPED and nothing is proven: {missing}");
    Solver::ALL.iter().try_for_each(|solver| solver.version().map(drop).map_err(missing))?;
    let proof = Proof::attempt(Theory::read()?)?;
    print(&proof)?;
    let failures = proof.failures();
    for query in failures.iter().take(3) {
        print(format_args!("FAIL {}\n", show(&proof.theory, "proof", query)?))?;
    }
    let Agreement { accepted, refused, wrong } = cross_check(&proof.theory)?;
    print(format_args!(
        "cross-check with model/src/protocol/model.rs: {accepted} of its transitions accepted, \
         {refused} refused with one value changed"
    ))?;
    wrong.iter().take(10).try_for_each(|wrong| print(format_args!("FAIL {wrong}")))?;
    let is_proven = failures.is_empty() && wrong.is_empty();
    print(if is_proven {
        "PROVEN: the protocol".to_owned()
    } else {
        format!("NOT PROVEN: {} questions and {} transitions of the protocol failed", failures.len(), wrong.len())
    })?;
    Ok(json!({
        "proven": is_proven, "questions": proof.questions(), "failed": failures.len(), "accepted": accepted,
        "refused": refused, "wrong": wrong.len(), "printed": proof.to_string(),
    }))
}

/// Asks both solvers for the proof of the queue, and compares the proven text with the queue that ships.
fn prove_queue(share: Share) -> Result<Value, Box<dyn Error>> {
    if let Err(missing) = Why3::version() {
        print(format_args!("\nSKIPPED: THE PROOF OF THE QUEUE: {missing}"))?;
        return Ok(json!({ "skipped": missing.to_string() }));
    }
    let text = queue::text()?;
    let proof = QueueProof::attempt(&text)?;
    print(format_args!("\n{proof}"))?;
    for Goal { of, claim, line, .. } in proof.open().into_iter().chain(&proof.contradictory).take(10) {
        print(format_args!("FAIL {}:{line}: {of}: {claim}", queue::FILE))?;
    }
    let tie = Tie::compare(&text, share)?;
    print(&tie)?;
    let is_proven = proof.is_complete() && tie.is_equal();
    let file = folder_in_target("proof")?.join("queue.json");
    let report = json!({ "proven": is_proven, "proof": proof, "tie": tie });
    write_atomically(&file, format!("{report:#}\n"))?;
    print(if is_proven { "PROVEN: the queue" } else { "NOT PROVEN: the queue" })?;
    let goals = proof.answers.first().map_or(0, |answers| answers.goals.len());
    Ok(json!({
        "proven": is_proven, "goals": goals, "open": proof.open().len(), "equal": tie.equal,
        "printed": proof.to_string(),
    }))
}
