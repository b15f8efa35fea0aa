//! Tags: small labels on keys, with limits that come from configuration.

use serde::{Deserialize, Serialize};

use crate::fault::TagFault;

/// One label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tag {
    /// Its key, unique on what it labels.
    pub key: String,
    /// Its value; may be empty.
    pub value: String,
}

/// What tags may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagProfile {
    /// The limits of the first API pages: 10 tags, 36 and 43 characters, a short list of forbidden characters.
    Classic,
    /// The limits of the platform's tag service today: 20 tags, 128 and 255 characters, letters, digits, spaces and `_.:=+-@/`.
    Modern,
}

impl TagProfile {
    /// Most tags on one key.
    pub const fn most(self) -> usize {
        match self {
            Self::Classic => 10,
            Self::Modern => 20,
        }
    }

    const fn key_chars(self) -> usize {
        match self {
            Self::Classic => 36,
            Self::Modern => 128,
        }
    }

    const fn value_chars(self) -> usize {
        match self {
            Self::Classic => 43,
            Self::Modern => 255,
        }
    }

    /// Checks a tag on its way in. Characters are Unicode scalar values, not bytes.
    pub fn check(self, tag: &Tag) -> Result<(), TagFault> {
        if tag.key.chars().all(char::is_whitespace) {
            return Err(TagFault::KeyEmpty);
        }
        if tag.key.chars().count() > self.key_chars() {
            return Err(TagFault::KeyTooLong);
        }
        if tag.value.chars().count() > self.value_chars() {
            return Err(TagFault::ValueTooLong);
        }
        let reserved = matches!(self, Self::Modern)
            && (tag.key.starts_with("sys")
                || tag.key.starts_with("_sys_")
                || tag.key.starts_with(char::is_whitespace)
                || tag.key.ends_with(char::is_whitespace));
        if reserved || !tag.key.chars().all(|c| self.key_takes(c)) {
            return Err(TagFault::KeyInvalid);
        }
        if !tag.value.chars().all(|c| self.value_takes(c)) {
            return Err(TagFault::ValueInvalid);
        }
        Ok(())
    }

    fn key_takes(self, c: char) -> bool {
        match self {
            Self::Classic => classic(c),
            Self::Modern => modern(c) && c != '/',
        }
    }

    fn value_takes(self, c: char) -> bool {
        match self {
            Self::Classic => classic(c),
            Self::Modern => modern(c),
        }
    }
}

const fn classic(c: char) -> bool {
    c as u32 > 31 && !matches!(c, '*' | '<' | '>' | '\\' | '=')
}

fn modern(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || matches!(c, '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
}

/// Sets `changes` on `tags`: a key that is there gets the new value, others are added. All or nothing.
pub fn set(tags: &mut Vec<Tag>, changes: &[Tag], profile: TagProfile) -> Result<(), TagFault> {
    for (index, tag) in changes.iter().enumerate() {
        profile.check(tag)?;
        if changes.iter().take(index).any(|earlier| earlier.key == tag.key) {
            return Err(TagFault::DuplicateKey);
        }
    }
    let added = changes.iter().filter(|change| !tags.iter().any(|tag| tag.key == change.key)).count();
    if added > 0 && tags.len() + added > profile.most() {
        return Err(TagFault::Limit);
    }
    for change in changes {
        match tags.iter_mut().find(|tag| tag.key == change.key) {
            Some(tag) => tag.value.clone_from(&change.value),
            None => tags.push(change.clone()),
        }
    }
    Ok(())
}

/// Takes the tag `key` away; says whether it was there.
pub fn remove(tags: &mut Vec<Tag>, key: &str) -> bool {
    let before = tags.len();
    tags.retain(|tag| tag.key != key);
    tags.len() != before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.into(), value: value.into() }
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_past_it() {
        let long = |n: usize| "𝒳".repeat(n);
        for (profile, key, value, expected) in [
            (TagProfile::Classic, long(36), long(43), Ok(())),
            (TagProfile::Classic, long(37), String::new(), Err(TagFault::KeyTooLong)),
            (TagProfile::Classic, "k".into(), long(44), Err(TagFault::ValueTooLong)),
            (TagProfile::Classic, String::new(), String::new(), Err(TagFault::KeyEmpty)),
            (TagProfile::Classic, "  ".into(), String::new(), Err(TagFault::KeyEmpty)),
            (TagProfile::Classic, "a=b".into(), String::new(), Err(TagFault::KeyInvalid)),
            (TagProfile::Classic, "a".into(), "\u{1f}".into(), Err(TagFault::ValueInvalid)),
            (TagProfile::Classic, "a".into(), "b\\c".into(), Err(TagFault::ValueInvalid)),
            (TagProfile::Modern, "a=b".into(), "c/d".into(), Ok(())),
            (TagProfile::Modern, "a/b".into(), String::new(), Err(TagFault::KeyInvalid)),
            (TagProfile::Modern, "sysadmin".into(), String::new(), Err(TagFault::KeyInvalid)),
            (TagProfile::Modern, "k".repeat(128), "v".repeat(255), Ok(())),
            (TagProfile::Modern, "k".repeat(129), String::new(), Err(TagFault::KeyTooLong)),
            (TagProfile::Modern, "k".into(), "v".repeat(256), Err(TagFault::ValueTooLong)),
        ] {
            assert_eq!(profile.check(&tag(&key, &value)), expected, "{profile:?} {key} {value}");
        }
    }

    #[test]
    fn setting_is_all_or_nothing() {
        let mut tags: Vec<Tag> = (0..9).map(|n| tag(&format!("k{n}"), "v")).collect();
        let before = tags.clone();
        for (changes, expected) in [
            (vec![tag("a", "1"), tag("b", "2")], TagFault::Limit),
            (vec![tag("a", "1"), tag("a", "2")], TagFault::DuplicateKey),
            (vec![tag("a", "1"), tag("*", "2")], TagFault::KeyInvalid),
        ] {
            assert_eq!(set(&mut tags, &changes, TagProfile::Classic), Err(expected));
            assert_eq!(tags, before);
        }
        assert_eq!(set(&mut tags, &[tag("k0", "new"), tag("a", "1")], TagProfile::Classic), Ok(()));
        assert_eq!(tags.len(), 10);
        assert_eq!(tags.first(), Some(&tag("k0", "new")));
        assert!(remove(&mut tags, "a"));
        assert!(!remove(&mut tags, "a"));
    }
}
