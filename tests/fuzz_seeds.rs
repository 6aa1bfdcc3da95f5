//! The fuzzer's seeds, and what it found, replayed on stable Rust.

use std::fs;
use std::path::Path;
use whendone_model::decode::{check, decode};

/// All files of `fuzz/<kind>/scenario`.
fn inputs(kind: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join("scenario");
    let files = fs::read_dir(folder).into_iter().flatten();
    files.map(|file| fs::read(file.expect("readable").path()).expect("readable")).collect()
}

#[test]
fn seeds_are_texts_of_the_scenario_language_and_pass() {
    let seeds = inputs("seeds");
    assert!(seeds.len() >= 8, "there are seeds: {}", seeds.len());
    for seed in seeds {
        let text = String::from_utf8(seed).expect("text");
        assert_eq!(decode(text.as_bytes()).to_string(), text.trim());
        check(text.as_bytes());
    }
}

#[test]
fn what_the_fuzzer_found_or_kept_passes() {
    for input in ["artifacts", "corpus"].into_iter().flat_map(inputs) {
        check(&input);
    }
}

/// Most random inputs are programs worth running.
#[test]
fn nine_of_ten_random_inputs_have_three_operations_or_more() {
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as u8
    };
    let input = |random: &mut dyn FnMut() -> u8| (0..16).map(|_| random()).collect::<Vec<u8>>();
    let long = (0..1000).filter(|_| decode(&input(&mut random)).operations() >= 3).count();
    assert!(long >= 900, "{long} of 1000");
}
