//! Prints what the checker finds of the protocol and of the protocol without each of its rules; fails if anything is unexpected.

use std::process::ExitCode;

use claviger_model::{Bounds, check_all, suite};

const WHOLE: &[Bounds] = &[
    Bounds::WHOLE,
    Bounds::TWO_NODES,
    Bounds::TWO_COMMITS,
    Bounds::TWO_WRITERS,
    Bounds::TWO_CLOCKS,
    Bounds::THREE_NODES,
];
const BROKEN: Bounds = Bounds { fast: 1, ..Bounds::WHOLE };

fn main() -> ExitCode {
    let mut unexpected = 0;
    let mut states = 0;
    check_all(suite(WHOLE, &BROKEN), |report| {
        println!("{report}");
        unexpected += usize::from(!report.is_as_expected());
        states += report.states;
    });
    println!("{states} states; {unexpected} unexpected");
    if unexpected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
