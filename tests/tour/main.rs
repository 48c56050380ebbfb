//! The tour of the admin's API, by curl alone: each step's effect is seen by real participants.

use std::process::Command;

#[test]
fn every_step_of_the_tour_is_seen_by_the_bots() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tour/tour.sh");
    let tour = Command::new("bash").args([script, env!("CARGO_BIN_EXE_medley")]).output().expect("bash runs");
    let (told, wrong) = (String::from_utf8_lossy(&tour.stdout), String::from_utf8_lossy(&tour.stderr));
    assert!(tour.status.success(), "{told}{wrong}");
    println!("{told}");
}
