//! What CAM keeps of a user beyond its name: contact and console settings, stored as they were given.

use std::collections::BTreeMap;

use claviger_core::records::User;
use serde::Deserialize;

const CONSOLE_LOGIN: &str = "console-login";
const COUNTRY_CODE: &str = "country-code";
const EMAIL: &str = "email";
const NEED_RESET_PASSWORD: &str = "need-reset-password";
const PHONE: &str = "phone";

/// Longest text of a profile, in characters.
const TEXT_CHARS: usize = 255;

/// A number that is 0 or 1; absent means 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub(super) enum Switch {
    /// 0.
    #[default]
    Off,
    /// 1.
    On,
}

impl TryFrom<u64> for Switch {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(Self::Off),
            1 => Ok(Self::On),
            _ => Err("expected 0 or 1"),
        }
    }
}

impl From<Switch> for u64 {
    fn from(switch: Switch) -> Self {
        match switch {
            Switch::Off => 0,
            Switch::On => 1,
        }
    }
}

/// A short text without control characters; absent means empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Text(pub(super) String);

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let shaped = text.chars().count() <= TEXT_CHARS && !text.chars().any(char::is_control);
        if shaped { Ok(Self(text)) } else { Err("expected a short text") }
    }
}

/// Contact and console settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    /// Whether the user may log in with a password.
    pub(super) console_login: Switch,
    /// Of the phone number.
    pub(super) country_code: Text,
    /// An address.
    pub(super) email: Text,
    /// Whether the password is to be changed at the first login.
    pub(super) need_reset_password: Switch,
    /// A number.
    pub(super) phone: Text,
}

impl Profile {
    /// As it is stored.
    pub(super) fn of(user: &User) -> Self {
        let text = |name| Text(user.profile.get(name).cloned().unwrap_or_default());
        let switch = |name| match user.profile.get(name).map(String::as_str) {
            Some("1") => Switch::On,
            _ => Switch::Off,
        };
        Self {
            console_login: switch(CONSOLE_LOGIN),
            country_code: text(COUNTRY_CODE),
            email: text(EMAIL),
            need_reset_password: switch(NEED_RESET_PASSWORD),
            phone: text(PHONE),
        }
    }

    /// For the store; what is empty or off is left out.
    pub(super) fn stored(self) -> BTreeMap<String, String> {
        let switch = |switch| match switch {
            Switch::Off => String::new(),
            Switch::On => "1".to_owned(),
        };
        [
            (CONSOLE_LOGIN, switch(self.console_login)),
            (COUNTRY_CODE, self.country_code.0),
            (EMAIL, self.email.0),
            (NEED_RESET_PASSWORD, switch(self.need_reset_password)),
            (PHONE, self.phone.0),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_switches_are_checked() {
        for (text, good) in [
            (String::new(), true),
            ("13800138000".to_owned(), true),
            ("字".repeat(255), true),
            ("字".repeat(256), false),
            ("a\0b".to_owned(), false),
            ("a\nb".to_owned(), false),
        ] {
            assert_eq!(Text::try_from(text.clone()).is_ok(), good, "{text:?}");
        }
        for (number, expected) in [(0, Ok(Switch::Off)), (1, Ok(Switch::On)), (2, Err("expected 0 or 1"))] {
            assert_eq!(Switch::try_from(number), expected);
        }
    }

    #[test]
    fn only_what_is_said_is_stored() {
        assert!(Profile::default().stored().is_empty());
        let profile = Profile { console_login: Switch::On, phone: Text("1".into()), ..Profile::default() };
        let stored = profile.stored();
        assert_eq!(stored.len(), 2);
        assert_eq!(stored.get(CONSOLE_LOGIN).map(String::as_str), Some("1"));
    }
}
