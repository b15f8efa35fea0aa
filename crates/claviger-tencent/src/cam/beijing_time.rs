//! CAM writes times as texts of Beijing's clock (UTC+8), without saying so.

use claviger_core::Moment;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// `YYYY-MM-DD HH:MM:SS`.
pub(super) fn date_time(moment: Moment) -> String {
    in_beijing(moment).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `YYYY-MM-DD`.
pub(super) fn date(moment: Moment) -> String {
    in_beijing(moment).strftime("%Y-%m-%d").to_string()
}

fn in_beijing(moment: Moment) -> DateTime {
    Offset::constant(8).to_datetime(moment.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beijing_is_eight_hours_ahead() {
        for (seconds, expected) in [
            (0, "1970-01-01 08:00:00"),
            (1_577_257_983, "2019-12-25 15:13:03"),
            (1_704_038_399, "2023-12-31 23:59:59"),
            (1_704_038_400, "2024-01-01 00:00:00"),
        ] {
            assert_eq!(date_time(Moment::from_seconds(seconds)), expected);
            assert!(expected.starts_with(&date(Moment::from_seconds(seconds))), "{expected}");
        }
    }
}
