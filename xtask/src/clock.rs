//! The wall clock. Signatures need it; the product takes it as an argument, this tool is where the argument comes from.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
pub fn unix_seconds() -> i64 {
    i64::try_from(since_epoch().as_secs()).expect("the year is not past 292 billion")
}

/// Milliseconds since 1970: where an unrepeatable number is wanted.
pub fn unix_millis() -> u64 {
    u64::try_from(since_epoch().as_millis()).expect("the year is not past 584 million")
}

#[expect(clippy::disallowed_methods, reason = "the one place of this tool that asks the system for the time")]
fn since_epoch() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set past 1970")
}
