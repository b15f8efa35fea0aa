//! How the tag service names resources.

use claviger_core::{AccountId, Cx, KeyId, UserId};

/// What can carry tags, by the part of its name behind the resource's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// `creatorUin/<uin>/<key id>`
    Key(KeyPath),
    /// `<uin>`
    User(UserId),
}

/// A key with who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyPath {
    /// Who made it.
    pub(super) creator: UserId,
    /// Which.
    pub(super) id: KeyId,
}

/// The kinds of resources, by service and prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `kms`, `key`
    Key,
    /// `cam`, `uin`
    User,
}

impl Kind {
    /// Of a service; one kind each.
    pub(super) fn of(service: &str) -> Option<Self> {
        match service {
            "cam" => Some(Self::User),
            "kms" => Some(Self::Key),
            _ => None,
        }
    }

    /// What stands before a resource's own name.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::User => "uin",
        }
    }

    /// The resource of that name.
    pub(super) fn resource(self, name: &str) -> Option<Resource> {
        match self {
            Self::Key => {
                let (creator, id) = name.strip_prefix("creatorUin/")?.split_once('/')?;
                let creator = UserId(number(creator)?);
                Some(Resource::Key(KeyPath { creator, id: KeyId::parse(id)? }))
            }
            Self::User => Some(Resource::User(UserId(number(name)?))),
        }
    }
}

/// A resource by its full name, `qcs::service:region:account:prefix/name`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SixSegments<'a> {
    /// A region's name; may be empty.
    pub(super) region: &'a str,
    /// Whose; none for the caller's own.
    pub(super) account: Option<AccountId>,
    /// Which.
    pub(super) resource: Resource,
}

impl<'a> SixSegments<'a> {
    /// Parses a full name. An account segment that is empty or `uin/` means the caller's own.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut segments = text.splitn(6, ':');
        let (scheme, project) = (segments.next()?, segments.next()?);
        let (service, region, account, path) =
            (segments.next()?, segments.next()?, segments.next()?, segments.next()?);
        if scheme != "qcs" || !project.is_empty() {
            return None;
        }
        let account = match account {
            "" | "uin/" => None,
            account => Some(AccountId(number(account.strip_prefix("uin/")?)?)),
        };
        let kind = Kind::of(service)?;
        let name = path.strip_prefix(kind.prefix())?.strip_prefix('/')?;
        Some(Self { region, account, resource: kind.resource(name)? })
    }
}

/// The same request for the region of that name, which need not be the one that it was signed for; none if there is no such
/// region. An empty name changes nothing.
pub(super) fn in_region<'a>(cx: &Cx<'a>, name: &str) -> Option<Cx<'a>> {
    let region = match name {
        "" => cx.region.clone(),
        name => cx.authority.regions().answering("tencent", name)?.id.clone(),
    };
    Some(Cx::new(cx.authority, cx.caller().ok().cloned(), cx.permission(), region, cx.source))
}

fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed() {
        let id = KeyId([1; 16]);
        let key = |creator| Resource::Key(KeyPath { creator: UserId(creator), id });
        let name = |region, account, resource| Some(SixSegments { region, account, resource });
        for (text, expected) in [
            (format!("qcs::kms:ap-guangzhou:uin/:key/creatorUin/7/{id}"), name("ap-guangzhou", None, key(7))),
            (format!("qcs::kms:::key/creatorUin/7/{id}"), name("", None, key(7))),
            (format!("qcs::kms::uin/1:key/creatorUin/7/{id}"), name("", Some(AccountId(1)), key(7))),
            ("qcs::cam::uin/:uin/8".to_owned(), name("", None, Resource::User(UserId(8)))),
            (format!("qcs::kms:::key/{id}"), None),
            ("qcs::kms:::key/creatorUin/7/nonsense".to_owned(), None),
            (format!("qcs::kms:::key/creatorUin/+7/{id}"), None),
            (format!("qcs::kms:::keys/creatorUin/7/{id}"), None),
            (format!("qcs:1:kms:::key/creatorUin/7/{id}"), None),
            (format!("qcs::kms::uid/1:key/creatorUin/7/{id}"), None),
            ("qcs::cvm:::instance/ins-1".to_owned(), None),
            ("qcs::kms::".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(SixSegments::parse(&text), expected, "{text}");
        }
    }
}
