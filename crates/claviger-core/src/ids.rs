//! Identities: types that cannot be malformed.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A tenant, by its number. Its root user carries the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub u64);

/// A user, by its number; numbers are unique over all accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub u64);

/// A policy, by its number. Numbers below [`PolicyId::FIRST_CUSTOM`] are presets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyId(pub u64);

impl PolicyId {
    /// The first number that is given to a policy made by a user.
    pub const FIRST_CUSTOM: u64 = 10_000_000;
}

/// The second name of an account, a user or a project: 32 lower-case hex characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HexId(pub [u8; 16]);

impl HexId {
    /// Parses exactly 32 lower-case hex characters.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        let lower = text.bytes().all(|b| !b.is_ascii_uppercase());
        (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(Self(bytes))
    }
}

impl fmt::Display for HexId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A customer master key, by its UUID (RFC 9562), lower case on every wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 16]);

impl KeyId {
    /// Parses the 36-character lower-case hyphenated form and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let shaped = text.len() == 36 && text.bytes().all(|b| !b.is_ascii_uppercase());
        if !shaped {
            return None;
        }
        uuid::Uuid::try_parse(text).ok().map(|uuid| Self(uuid.into_bytes()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 36];
        f.write_str(uuid::Uuid::from_bytes(self.0).hyphenated().encode_lower(&mut text))
    }
}

/// One of *our* regions, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegionId(Arc<str>);

impl RegionId {
    /// Longest name of a region, in bytes.
    pub const MAX_LEN: usize = 63;

    /// Parses a name: 1 to 63 of `a-z`, `0-9` and `-`.
    pub fn parse(name: &str) -> Option<Self> {
        let shaped = (1..=Self::MAX_LEN).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        shaped.then(|| Self(name.into()))
    }

    /// The place of what belongs to an account as a whole, such as its access keys.
    pub fn global() -> Self {
        Self("".into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The set of keys of one account in one region, and the key that wraps them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RingId {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: RegionId,
}

macro_rules! text_serde {
    ($type:ident, $what:literal) => {
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                Self::parse(&text).ok_or_else(|| de::Error::custom($what))
            }
        }
    };
}

text_serde!(HexId, "expected 32 lower-case hex characters");
text_serde!(KeyId, "expected a lower-case UUID");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_parsed_strictly() {
        for (text, good) in [
            ("23e80852-1e38-11e9-b129-5cb9019b4b01", true),
            ("23E80852-1e38-11e9-b129-5cb9019b4b01", false),
            ("23e808521e3811e9b1295cb9019b4b01", false),
            ("{3e80852-1e38-11e9-b129-5cb9019b4b01}", false),
            ("23e80852-1e38-11e9-b129-5cb9019b4b0g", false),
            ("", false),
        ] {
            assert_eq!(KeyId::parse(text).is_some(), good, "{text}");
        }
        for (text, good) in [
            ("159b65b41ead484d8ddff250a4731781", true),
            ("159B65b41ead484d8ddff250a4731781", false),
            ("159b65b41ead484d8ddff250a473178", false),
        ] {
            assert_eq!(HexId::parse(text).is_some(), good, "{text}");
        }
        assert_eq!(
            KeyId::parse("23e80852-1e38-11e9-b129-5cb9019b4b01").map(|id| id.to_string()).as_deref(),
            Some("23e80852-1e38-11e9-b129-5cb9019b4b01")
        );
        assert!(RegionId::parse("Guangzhou").is_none());
        assert!(RegionId::parse("").is_none());
    }
}
