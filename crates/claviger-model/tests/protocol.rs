//! The protocol holds and each of its rules is needed, within bounds that take a few seconds. `cargo run -p claviger-model` goes further.

use claviger_model::{Bounds, check_all, suite};

#[test]
fn the_protocol_holds_and_needs_each_rule() {
    let whole = [Bounds::SHORT, Bounds::TWO_WRITERS, Bounds::THREE_NODES];
    let mut unexpected = Vec::new();
    let mut checked = 0;
    let protocols = suite(&whole, &Bounds { slow: 1, fast: 1, ..Bounds::SHORT });
    let all = protocols.len();
    check_all(protocols, |report| {
        checked += 1;
        if !report.is_as_expected() {
            unexpected.push(report.to_string());
        }
    });
    assert_eq!(checked, all);
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}
