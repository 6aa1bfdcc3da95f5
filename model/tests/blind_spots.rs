//! Each listed blind spot is still one: no tool here sees it.

use whendone_model::check::blind_spots::BLIND_SPOTS;

#[test]
fn the_listed_blind_spots_are_unseen() {
    for spot in BLIND_SPOTS {
        assert!((spot.is_unseen)(), "a tool sees this now:\n{spot}");
    }
}
