//! The self-test can see: every defect is planted in the shipped core, and every engine names each one that it can show.

use whendone_model::engines::catalog::Engine;
use whendone_model::engines::defects::{DEFECTS, LEFT_OUT, Needs};
use whendone_model::runner::self_test::is_noticed;

#[test]
fn no_defect_is_left_out_of_the_shipped_core() {
    assert_eq!(LEFT_OUT, &[] as &[&str]);
}

#[test]
fn every_defect_is_named_on_every_engine_that_can_show_it() {
    let (mut played, mut unnoticed) = (0, Vec::new());
    for defect in DEFECTS {
        let shown_on = Engine::ALL.map(|engine| (engine, is_noticed(defect, engine)));
        let engines = shown_on.iter().filter(|(_, noticed)| noticed.is_some()).count();
        // Timestamps need callbacks without programs.
        let least = match defect.needs {
            Some(Needs::Loom) => 3,
            Some(_) => 5,
            None => 8,
        };
        assert!(engines >= least, "{} is played on {engines} engines", defect.id);
        played += engines;
        let blind = shown_on.iter().filter(|(_, noticed)| *noticed == Some(false));
        unnoticed.extend(blind.map(|(engine, _)| (defect.id, *engine)));
    }
    assert_eq!(unnoticed, [], "of {played}");
}
