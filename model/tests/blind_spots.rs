//! The ledger of what no tool here sees is still true.

use whendone_model::check::blind_spots::BLIND_SPOTS;

#[test]
fn the_listed_blind_spots_are_unseen() {
    for spot in BLIND_SPOTS {
        assert!((spot.is_unseen)(), "a tool has learnt to see this:\n{spot}");
    }
}
