//! The commands that a page names: each must exist.

use std::path::Path;

/// Returns the commands in backticks on this page that do not exist, each with the reason. `parsed` says what is wrong with
/// the arguments of a `cargo verify`.
pub fn unknown(root: &Path, page: &str, parsed: impl Fn(&[String]) -> Result<(), String>) -> Vec<String> {
    let prose = page.split("```").step_by(2);
    let spans = prose.flat_map(|prose| prose.split('`').skip(1).step_by(2));
    let named = spans.filter_map(|span| Some((span, fault(root, span, &parsed)?)));
    named.map(|(span, fault)| format!("`{span}`: {fault}")).collect()
}

fn fault(root: &Path, span: &str, parsed: impl Fn(&[String]) -> Result<(), String>) -> Option<String> {
    let Some(words) = shlex::split(&span.replace("\\|", "|")) else {
        return Some("a quote is open".to_owned());
    };
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["cargo", "verify", ..] => parsed(&words[1..]).err(),
        ["cargo", "test", rest @ ..] => missing_suite(root, rest),
        [script, ..] if script.starts_with(".ci/") => {
            (!root.join(script).exists()).then(|| "there is no such script".to_owned())
        }
        _ => None,
    }
}

/// The first suite after a `--test` that is no file of the package's tests.
fn missing_suite(root: &Path, arguments: &[&str]) -> Option<String> {
    let package = arguments.windows(2).find(|pair| pair[0] == "-p").map_or("whendone", |pair| pair[1]);
    let tests = match package {
        "whendone" => root.join("tests"),
        "whendone-model" => root.join("model/tests"),
        "whendone-mutants" => root.join("model/mutants/tests"),
        _ => return None,
    };
    let mut suites = arguments.windows(2).filter(|pair| pair[0] == "--test").map(|pair| pair[1]);
    let exists = |suite: &str| tests.join(format!("{suite}.rs")).exists() || tests.join(suite).join("main.rs").exists();
    suites.find(|suite| !exists(suite)).map(|suite| format!("{package} has no suite {suite}"))
}

#[cfg(test)]
mod tests {
    use super::unknown;
    use crate::project::copy::project;

    #[test]
    fn commands_that_do_not_exist_are_named() {
        let root = project();
        let known = |words: &[String]| if words == ["verify", "proof"] { Ok(()) } else { Err("unknown".to_owned()) };
        let page = "`cargo verify proof` `cargo test --test task` `.ci/run` `cargo test -p whendone-model --test spec`";
        assert_eq!(unknown(&root, page, known), Vec::<String>::new());
        let page = "`cargo verify x` and `.ci/none`, `cargo test --test task --test none`, `cargo verify 'x`";
        assert_eq!(unknown(&root, page, known).len(), 4);
    }
}
