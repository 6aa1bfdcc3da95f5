//! Bugs of the protocol: each must be refused by the proof, which names a clause, and by the explored model, which
//! names a claim and the shortest path to a state where it does not hold.

use std::collections::BTreeSet;
use std::{fs, thread};
use whendone_model::project::copy::project;
use whendone_model::proof::counterexample::show;
use whendone_model::proof::obligations::{FILES, Kind, Query, Theory};
use whendone_model::proof::solver::Solver;
use whendone_mutants::PROTOCOLS;
use whendone_mutants::table::{File, Mutant, PROTOCOL, Table};

/// The result for one bug.
struct Refused {
    /// The clauses and properties that the proof lost, as both solvers say.
    clauses: Result<BTreeSet<String>, String>,
    claim: Option<(&'static str, Vec<String>)>,
    /// How one of them fails.
    shown: String,
}

/// Prints who refuses each bug, and says how many are not refused by both. `in_full` shows how, too.
///
/// # Errors
///
/// If the table cannot be read.
pub fn bugs(is_named: impl Fn(&Mutant) -> bool, in_full: bool) -> Result<usize, String> {
    let bugs: Vec<Mutant> =
        Table::read(&Table::folder(&project()).join(PROTOCOL))?.mutants.into_iter().filter(is_named).collect();
    if bugs.is_empty() {
        return Ok(0);
    }
    let missing = Solver::ALL.iter().find_map(|solver| solver.version().err());
    if let Some(missing) = &missing {
        println!("SKIPPED: what the proof says of bugs of the protocol: {missing}");
    }
    println!(
        "\n{:<40} {:<30} refused by the explored protocol, after so many steps",
        "bug of the protocol", "by the proof"
    );
    let refuse = |bug: &Mutant| Refused::new(bug, missing.is_none());
    let middle = bugs.len().div_ceil(2);
    let (first, second) = bugs.split_at(middle);
    let refused: Vec<Refused> = thread::scope(|scope| {
        let halves = [first, second].map(|half| scope.spawn(move || half.iter().map(refuse).collect::<Vec<_>>()));
        halves.into_iter().flat_map(|half| half.join().expect("contained")).collect()
    });
    let mut survivors = 0;
    for (bug, Refused { clauses, claim, shown }) in bugs.iter().zip(&refused) {
        let by_proof = clauses.as_ref().is_ok_and(|clauses| clauses.contains(&*bug.shown_by));
        let others = clauses.as_ref().map_or(0, |clauses| clauses.len().saturating_sub(1));
        let clause = match (by_proof, clauses) {
            (true, _) => format!("{} +{others}", bug.shown_by),
            (false, Ok(_)) if missing.is_some() => "SKIPPED".to_owned(),
            (false, Ok(clauses)) => format!("NOT by {}, but {clauses:?}", bug.shown_by),
            (false, Err(error)) => error.clone(),
        };
        let claim_text =
            claim.as_ref().map_or("NOT REFUSED".to_owned(), |(claim, way)| format!("{:>2}  {claim}", way.len()));
        println!("{:<40} {clause:<30} {claim_text}", bug.id);
        survivors += usize::from(!(by_proof || missing.is_some()) || claim.is_none());
        if in_full {
            println!("{}\n\n{shown}", bug.why);
            let way = claim.iter().flat_map(|(_, way)| way).enumerate();
            println!("explored, from the start:");
            way.for_each(|(n, step)| println!("    {}  {step}", n + 1));
        }
    }
    println!("{} bugs of the protocol, {} refused by both, {survivors} not", bugs.len(), bugs.len() - survivors);
    Ok(survivors)
}

impl Refused {
    fn new(bug: &Mutant, has_solvers: bool) -> Self {
        let (_, explored) = PROTOCOLS.iter().find(|(id, _)| *id == &*bug.id).expect("it is planted");
        let claim = explored(&bug.breaks);
        match has_solvers.then(|| refuse(bug)) {
            None => Refused { clauses: Ok(BTreeSet::new()), claim, shown: String::new() },
            Some(Ok((clauses, shown))) => Refused { clauses: Ok(clauses), claim, shown },
            Some(Err(error)) => Refused { clauses: Err(error), claim, shown: String::new() },
        }
    }
}

/// What is not proven any more, and how what was expected fails.
fn refuse(bug: &Mutant) -> Result<(BTreeSet<String>, String), String> {
    let text = |file: &str| {
        Ok((file.to_owned(), fs::read_to_string(project().join(file)).map_err(|error| format!("{file}: {error}"))?))
    };
    let files: Vec<File> =
        FILES.iter().chain(&["model/src/protocol/model.rs"]).map(|file| text(file)).collect::<Result<_, String>>()?;
    let planted = bug.plant(&files)?;
    let texts: Vec<String> = planted.into_iter().take(FILES.len()).map(|(_, text)| text).collect();
    let theory = Theory::new(&texts);
    let mut lost = theory.obligations();
    for solver in Solver::ALL {
        // The second one is asked only for what the first one refuses.
        let answers = theory.ask(solver, &bug.id, &lost)?;
        lost.retain(|query| answers.of.get(&query.kind.to_string()).is_some_and(|said| said == "sat"));
    }
    let name = |query: &Query| match &query.kind {
        Kind::Initiation(clause) | Kind::Consecution(_, clause) => clause.clone(),
        Kind::Property(property) | Kind::Step(_, property) => {
            property.split(' ').next_back().unwrap_or_default().to_owned()
        }
        kind => kind.to_string(),
    };
    let expected = lost.iter().find(|query| name(query) == *bug.shown_by);
    let shown = expected.map_or(Ok(String::new()), |query| show(&theory, &bug.id, query))?;
    Ok((lost.iter().map(name).collect(), shown))
}
