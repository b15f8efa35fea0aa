//! Permanent access keys: their shape, whose they are, and how answers show them.

use claviger_core::access_key::{Shape, UPPER_ALPHANUMERIC};
use claviger_core::fault::{AccessKeyFault, UserFault};
use claviger_core::records::{AccessKey, HexName};
use claviger_core::{AccessKeyOwner, Cx, Fault, Granted, HexId};
use serde::Serialize;

use crate::iam::instant::instant;

/// What new access keys look like.
pub(super) const SHAPE: Shape =
    Shape { prefix: "", id_chars: 20, id_alphabet: UPPER_ALPHANUMERIC, secret_chars: 40 };

/// Longest description, in characters.
pub(super) const DESCRIPTION_CHARS: usize = 255;

/// One access key in an answer.
#[derive(Debug, Serialize)]
pub(super) struct One<T> {
    /// It.
    pub(super) credential: T,
}

/// An access key without its secret.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    access: String,
    create_time: String,
    description: String,
    status: &'static str,
    user_id: HexId,
}

impl Shown {
    /// An access key of `owner`.
    pub(super) fn new(owner: &AccessKeyOwner, record: AccessKey) -> Self {
        Self {
            access: record.id,
            create_time: instant(record.created),
            description: record.description,
            status: if record.active { "active" } else { "inactive" },
            user_id: owner.0.hex,
        }
    }
}

/// The user with a hex id, to act upon its access keys. A user of another account is as unknown as one that is not there.
pub(super) async fn owner(cx: &Cx<'_>, user_id: &str) -> Result<Granted<AccessKeyOwner>, Fault> {
    let unknown = || Fault::User(UserFault::NotFound);
    let id = HexId::parse(user_id).ok_or_else(unknown)?;
    match cx.authority.hex(id).await?.as_deref() {
        Some(HexName::User(user)) => cx.access_key_owner(Some(*user)).await,
        Some(HexName::Account(_) | HexName::Project(..)) | None => Err(unknown()),
    }
}

/// The owner of an access key of the caller's account, to act upon it.
pub(super) async fn owner_of(cx: &Cx<'_>, access_key: &str) -> Result<Granted<AccessKeyOwner>, Fault> {
    let owner =
        cx.owner_of_access_key(access_key).await?.ok_or(Fault::AccessKey(AccessKeyFault::NotFound))?;
    cx.touch(|| format!("access-key/{access_key}"));
    cx.access_key_owner(Some(owner)).await
}

/// A description within its limit.
pub(super) fn description(given: Option<String>) -> Result<Option<String>, Fault> {
    match given {
        Some(text) if text.chars().count() > DESCRIPTION_CHARS => Err(Fault::value("credential.description")),
        other => Ok(other),
    }
}
