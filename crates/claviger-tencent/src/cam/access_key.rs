//! What the actions on access keys share.

use claviger_core::access_key::{ALPHANUMERIC, ID_BYTES, Shape};
use claviger_core::fault::AccessKeyFault;
use claviger_core::{Cx, Fault, UserId};
use serde::{Deserialize, Serialize};

/// `AKID` and 32 letters and digits; the secret is 32 letters and digits.
pub(super) const SHAPE: Shape =
    Shape { prefix: "AKID", id_chars: 32, id_alphabet: ALPHANUMERIC, secret_chars: 32 };

/// Whether an access key may be used. Spelled exactly so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    /// It may.
    Active,
    /// It may not, until it is made active again.
    Inactive,
}

impl Status {
    /// From the record.
    pub(super) const fn of(active: bool) -> Self {
        if active { Self::Active } else { Self::Inactive }
    }
}

/// The id of an access key of any dialect: 1 to 64 letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct AccessKeyId(String);

impl TryFrom<String> for AccessKeyId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let shaped = (1..=ID_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if shaped { Ok(Self(text)) } else { Err("expected letters and digits") }
    }
}

impl AccessKeyId {
    /// As text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The user whose keys are meant. No `TargetUin` means the caller, and so does 0, which Terraform sends.
pub(super) fn target(uin: Option<u64>) -> Option<UserId> {
    uin.filter(|uin| *uin != 0).map(UserId)
}

/// Says it as it is when the key that is another's is the root user's.
pub(super) async fn name_root<T>(
    cx: &Cx<'_>,
    id: &AccessKeyId,
    outcome: Result<T, Fault>,
) -> Result<T, Fault> {
    match outcome {
        Err(Fault::AccessKey(AccessKeyFault::OfAnotherUser)) => {
            let caller = cx.caller()?;
            let root = UserId(caller.account.id.0);
            let of_root = cx.owner_of_access_key(id.as_str()).await? == Some(root);
            let fault = if of_root && !caller.user.is_root() {
                AccessKeyFault::OfRoot
            } else {
                AccessKeyFault::OfAnotherUser
            };
            Err(fault.into())
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_letters_and_digits() {
        for (text, good) in [
            ("A".to_owned(), true),
            ("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE".to_owned(), true),
            ("a".repeat(64), true),
            ("a".repeat(65), false),
            (String::new(), false),
            ("AKID-1".to_owned(), false),
            (" AKID".to_owned(), false),
            ("密钥".to_owned(), false),
        ] {
            assert_eq!(AccessKeyId::try_from(text.clone()).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn nobody_means_the_caller() {
        for (uin, expected) in [(None, None), (Some(0), None), (Some(7), Some(UserId(7)))] {
            assert_eq!(target(uin), expected);
        }
    }
}
