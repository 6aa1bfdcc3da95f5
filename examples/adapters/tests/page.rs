//! The sizes on `docs/ADAPTERS.md` are those of the sources that cargo has.

#[path = "../benches/peers/sizes.rs"]
mod sizes;

const PAGE: &str = include_str!("../../../docs/ADAPTERS.md");

#[test]
fn the_page_has_the_sizes_that_are_counted() {
    let table = sizes::table();
    let write = "write them with: cargo bench -p whendone-adapters --bench peers -- --page";
    assert!(PAGE.contains(&table), "{write}\n{table}");
}

/// The swap is done in the version whose figures are on the page.
#[test]
fn the_swap_takes_the_version_that_is_counted() {
    let packages = sizes::packages();
    for peer in ["futures", "futures-channel"] {
        let wanted = format!("{peer}@={}", packages[peer].0);
        assert!(PAGE.contains(&wanted), "{wanted}");
    }
}
