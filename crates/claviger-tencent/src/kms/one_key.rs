//! What actions on one key have in common: its id in the request.

use claviger_core::KeyId;
use claviger_core::fault::{Fault, KeyFault};
use serde::Deserialize;

/// The parameters of actions that only name a key.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct OneKey {
    pub(super) key_id: String,
    member_account: Option<MemberAccount>,
}

impl OneKey {
    /// The key that is named.
    pub(super) fn id(&self) -> Result<KeyId, Fault> {
        no_member(self.member_account.as_ref())?;
        key_id(&self.key_id)
    }
}

/// A member of an organisation for whom an administrator acts. There are no organisations here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct MemberAccount {
    member_app_id: Option<u64>,
    member_uin: Option<u64>,
}

/// Refuses to act for a member; one that names nobody is no member.
pub(super) fn no_member(member: Option<&MemberAccount>) -> Result<(), Fault> {
    let named = |number: Option<u64>| number.is_some_and(|number| number != 0);
    if member.is_some_and(|member| named(member.member_app_id) || named(member.member_uin)) {
        return Err(Fault::value("MemberAccount"));
    }
    Ok(())
}

/// A key's id as it is written in requests.
pub(super) fn key_id(text: &str) -> Result<KeyId, Fault> {
    KeyId::parse(text).ok_or(Fault::Key(KeyFault::MalformedId))
}
