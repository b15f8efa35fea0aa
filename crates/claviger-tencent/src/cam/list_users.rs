//! `ListUsers`: all sub-users, by name.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::records::User;
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use super::beijing_time::date_time;
use super::profile::Profile;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "ListUsers",
    permission: Permission::UserList,
    rate: 20,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://console.cloud.tencent.com/api/explorer?Product=cam&Version=2019-01-16&Action=ListUsers",
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    data: Vec<SubAccountInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SubAccountInfo {
    uin: u64,
    name: String,
    uid: u64,
    remark: String,
    console_login: u64,
    phone_num: String,
    country_code: String,
    email: String,
    create_time: String,
    nick_name: &'static str,
}

impl SubAccountInfo {
    fn of(user: &User) -> Self {
        let profile = Profile::of(user);
        Self {
            uin: user.id.0,
            name: user.name.clone(),
            uid: user.serial,
            remark: user.remark.clone(),
            console_login: profile.console_login.into(),
            phone_num: profile.phone.0,
            country_code: profile.country_code.0,
            email: profile.email.0,
            create_time: date_time(user.created),
            nick_name: "",
        }
    }
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let Parameters {} = parse(request)?;
    let account = cx.account().await?;
    let users = cx.list_users(&account).await?;
    Ok(Reply::json(&Output { data: users.iter().map(|user| SubAccountInfo::of(user)).collect() }))
}
