//! `CreateAccessKey`: makes an access key; its secret is shown here and never again.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use super::access_key::{SHAPE, Status, target};
use super::beijing_time::date_time;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "CreateAccessKey",
    permission: Permission::AccessKeyCreate,
    rate: 5,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://www.tencentcloud.com/document/product/598/52594",
};

/// Longest description, in characters.
const DESCRIPTION_CHARS: usize = 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    target_uin: Option<u64>,
    #[serde(default)]
    description: Description,
}

#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "String")]
struct Description(String);

impl TryFrom<String> for Description {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let shaped = text.chars().count() <= DESCRIPTION_CHARS
            && text.chars().all(|c| c.is_alphanumeric() || "_+=,.@:/-".contains(c));
        if shaped { Ok(Self(text)) } else { Err("expected letters, digits and _+=,.@:/-") }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    access_key: AccessKeyDetail,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccessKeyDetail {
    access_key_id: String,
    secret_access_key: String,
    status: Status,
    create_time: String,
    description: String,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    let owner = cx.access_key_owner(target(asked.target_uin)).await?;
    let issued = cx.create_access_key(&owner, &SHAPE, asked.description.0).await?;
    // Revealed to its owner, this once.
    let secret = String::from_utf8_lossy(issued.secret.reveal()).into_owned();
    Ok(Reply::json(&Output {
        access_key: AccessKeyDetail {
            access_key_id: issued.record.id,
            secret_access_key: secret,
            status: Status::of(issued.record.active),
            create_time: date_time(issued.record.created),
            description: issued.record.description,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_checked() {
        for (text, good) in [
            (String::new(), true),
            ("ci@build:1/a-b_c+d=e,f.".to_owned(), true),
            ("构建".to_owned(), true),
            ("d".repeat(1024), true),
            ("d".repeat(1025), false),
            ("two words".to_owned(), false),
            ("a;b".to_owned(), false),
        ] {
            assert_eq!(Description::try_from(text.clone()).is_ok(), good, "{text}");
        }
    }
}
