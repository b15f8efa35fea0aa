//! How IAM writes a point in time.

use claviger_core::Moment;

/// UTC with six digits of a second, such as `2026-01-02T03:04:05.678000Z`.
pub(super) fn instant(moment: Moment) -> String {
    moment.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_always() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_767_323_045_678, "2026-01-02T03:04:05.678000Z"),
            (1_767_323_045_000, "2026-01-02T03:04:05.000000Z"),
        ] {
            assert_eq!(instant(Moment::from_millis(millis)), text);
        }
    }
}
