//! Calls on bad lines: the short form of the grid, with the real server in a process of its own.
//!
//! Its cases and its bounds, twice as wide as the table's, are chosen to hold on a machine that is busy with other things. The
//! whole table is `medley bots --grid`.

use medley::bots::grid::cases::{Case, Form};
use medley::bots::grid::{self, GridOptions};

#[tokio::test(flavor = "multi_thread")]
async fn calls_hold_under_loss_after_a_black_out_and_from_another_address() {
    let options = GridOptions { medley: env!("CARGO_BIN_EXE_medley").into(), cases: Case::SHORT.to_vec(), runs: 1, form: Form::Short };
    let table = grid::run(&options, |_| ()).await;
    println!("{table}");
    assert!(table.passes(), "{table}");
}
