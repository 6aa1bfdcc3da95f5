//! The ledger of what no tool here sees is still true.

use whendone_model::check::blind_spots::BLIND_SPOTS;

#[test]
fn what_is_said_to_be_unseen_is_unseen() {
    for spot in BLIND_SPOTS {
        assert!((spot.is_unseen)(), "a tool has learnt to see this:\n{spot}");
    }
}
