//! Two runs at once do not share a folder.

use std::fs;
use whendone_mutants::slot::Slot;

#[test]
fn a_folder_has_one_user_at_a_time_and_is_used_again() {
    let within = std::env::temp_dir().join(format!("whendone-slots-{}", std::process::id()));
    let take = || Slot::take(&within, "copy").expect("writable");
    let (first, second) = (take(), take());
    assert_eq!([&first, &second].map(|slot| slot.number), [0, 1]);
    assert_eq!([&first, &second].map(|slot| slot.folder.file_name()), [Some("copy".as_ref()), Some("copy1".as_ref())]);
    drop(first);
    let (again, third) = (take(), take());
    assert_eq!([&again, &third].map(|slot| slot.number), [0, 2]);
    drop((again, second, third));
    fs::remove_dir_all(within).expect("it was made");
}
