//! `GetUser`: a sub-user by name.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::UserFault;
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use super::profile::Profile;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "GetUser",
    permission: Permission::UserRead,
    rate: 20,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://console.cloud.tencent.com/api/explorer?Product=cam&Version=2019-01-16&Action=GetUser",
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    name: String,
}

#[derive(Serialize)]
struct Output {
    #[serde(rename = "Uin")]
    uin: u64,
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Uid")]
    uid: u64,
    #[serde(rename = "Remark")]
    remark: String,
    #[serde(rename = "ConsoleLogin")]
    console_login: u64,
    #[serde(rename = "PhoneNum")]
    phone_num: String,
    #[serde(rename = "CountryCode")]
    country_code: String,
    #[serde(rename = "Email")]
    email: String,
    /// Logins are not recorded.
    #[serde(rename = "RecentlyLoginIP")]
    recently_login_ip: &'static str,
    #[serde(rename = "RecentlyLoginTime")]
    recently_login_time: &'static str,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    let user = cx.user_named(&asked.name).await?;
    if user.is_root() {
        return Err(UserFault::NotFound.into());
    }
    let profile = Profile::of(&user);
    Ok(Reply::json(&Output {
        uin: user.id.0,
        name: user.name.clone(),
        uid: user.serial,
        remark: user.remark.clone(),
        console_login: profile.console_login.into(),
        phone_num: profile.phone.0,
        country_code: profile.country_code.0,
        email: profile.email.0,
        recently_login_ip: "",
        recently_login_time: "",
    }))
}
