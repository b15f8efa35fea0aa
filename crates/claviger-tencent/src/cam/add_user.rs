//! `AddUser`: makes a sub-user; with `UseApi` also its first access key, whose secret is shown here and never again. That needs
//! the permission to make access keys too.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::access_key::Issued;
use claviger_core::fault::UserFault;
use claviger_core::user::NewUser;
use claviger_core::{Cx, Entropy, Fault, Permission, Secret, UserId};
use serde::{Deserialize, Serialize};

use super::access_key::SHAPE;
use super::profile::{Profile, Switch, Text};
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "AddUser",
    permission: Permission::UserCreate,
    rate: 20,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://console.cloud.tencent.com/api/explorer?Product=cam&Version=2019-01-16&Action=AddUser",
};

/// Fewest and most characters of a password.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;
/// How many of the four kinds of characters (lower case, upper case, digits, others) a password must have.
const PASSWORD_KINDS: usize = 3;

/// Holds a password: not to be printed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    name: String,
    #[serde(default)]
    remark: Text,
    #[serde(default)]
    console_login: Switch,
    #[serde(default)]
    use_api: Switch,
    #[serde(default)]
    password: String,
    #[serde(default)]
    need_reset_password: Switch,
    #[serde(default)]
    phone_num: Text,
    #[serde(default)]
    country_code: Text,
    #[serde(default)]
    email: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    uin: u64,
    name: String,
    /// Only one that was made here.
    password: String,
    secret_id: String,
    secret_key: String,
    uid: u64,
    phone_num_verify_link: &'static str,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    let given = given_password(asked.password)?;
    let account = cx.account().await?;
    let (password, shown) = password_for(asked.console_login, given, cx.authority.entropy());
    let profile = Profile {
        console_login: asked.console_login,
        country_code: asked.country_code,
        email: asked.email,
        need_reset_password: asked.need_reset_password,
        phone: asked.phone_num,
    };
    // Before there is a user that somebody who may not make access keys would leave behind.
    let id = match asked.use_api {
        Switch::Off => None,
        Switch::On => Some(for_access_keys(cx)?.number_for_user().await?),
    };
    let new = NewUser {
        id,
        name: asked.name,
        remark: asked.remark.0,
        password,
        profile: profile.stored(),
        ..NewUser::default()
    };
    let user = cx.create_user(&account, new).await?;
    let issued = match asked.use_api {
        Switch::Off => None,
        Switch::On => Some(first_access_key(cx, user.id).await?),
    };
    let (secret_id, secret_key) = issued.map_or_else(Default::default, |issued| {
        // Revealed to whoever made the user, this once.
        (issued.record.id, String::from_utf8_lossy(issued.secret.reveal()).into_owned())
    });
    Ok(Reply::json(&Output {
        uin: user.id.0,
        name: user.name,
        password: shown,
        secret_id,
        secret_key,
        uid: user.serial,
        phone_num_verify_link: "",
    }))
}

/// The new user's access key. Without it the user is taken back: half an answer could not be repeated, its name being taken.
async fn first_access_key(cx: &Cx<'_>, user: UserId) -> Result<Issued, Fault> {
    let issued = async {
        let cx = for_access_keys(cx)?;
        let owner = cx.access_key_owner(Some(user)).await?;
        cx.create_access_key(&owner, &SHAPE, String::new()).await
    };
    let fault = match issued.await {
        Ok(issued) => return Ok(issued),
        Err(fault) => fault,
    };
    // If that fails too there is nothing left to try; what failed is in the log.
    if let Ok(user) = cx.user(user).await {
        drop(cx.delete_user(&user).await);
    }
    Err(fault)
}

/// A context of its own, whose permission is that of making access keys.
fn for_access_keys<'a>(cx: &Cx<'a>) -> Result<Cx<'a>, Fault> {
    let caller = cx.caller()?.clone();
    Ok(Cx::new(cx.authority, Some(caller), Permission::AccessKeyCreate, cx.region.clone(), cx.source))
}

/// The password that was given, if one was and it is strong.
fn given_password(text: String) -> Result<Option<Secret>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let kinds: [fn(char) -> bool; 4] = [char::is_lowercase, char::is_uppercase, char::is_numeric, |c| {
        !c.is_lowercase() && !c.is_uppercase() && !c.is_numeric()
    }];
    let present = kinds.iter().filter(|kind| text.chars().any(**kind)).count();
    if PASSWORD_CHARS.contains(&text.chars().count()) && present >= PASSWORD_KINDS {
        Ok(Some(Secret::from(text)))
    } else {
        Err(UserFault::PasswordWeak.into())
    }
}

/// What to store, and what to show: a password counts only where the user may log in with one, and is made up where none was
/// given.
fn password_for(login: Switch, given: Option<Secret>, entropy: &Entropy) -> (Option<Secret>, String) {
    match (login, given) {
        (Switch::Off, _) => (None, String::new()),
        (Switch::On, Some(given)) => (Some(given), String::new()),
        (Switch::On, None) => {
            let made = made_up_password(entropy);
            (Some(Secret::from(made.clone())), made)
        }
    }
}

/// 32 characters, 8 of each kind.
fn made_up_password(entropy: &Entropy) -> String {
    const KINDS: [&[u8]; 4] = [
        b"abcdefghijklmnopqrstuvwxyz",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        b"0123456789",
        b"!#$%&()*+,-.:;<=>?@[]^_{|}~",
    ];
    KINDS.iter().map(|kind| entropy.text(kind, 8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_follow_the_rules() {
        for (text, good) in [
            ("abcDEF12", true),
            ("abcdef1!", true),
            ("ABCDEF1 ", true),
            ("abcDEF1", false),
            ("abcdefgh", false),
            ("abcdefg1", false),
            ("12345678!", false),
        ] {
            let parsed = given_password(text.to_owned());
            assert_eq!(parsed.is_ok_and(|password| password.is_some()), good, "{text}");
        }
        let long = |n: usize| given_password(format!("aB1{}", "x".repeat(n - 3))).is_ok();
        assert!(long(128) && !long(129));
        assert_eq!(given_password(String::new()), Ok(None));
    }

    #[test]
    fn a_password_counts_only_with_login() {
        let entropy = Entropy::seeded(1);
        let given = || Some(Secret::from("abcDEF12".to_owned()));
        assert_eq!(password_for(Switch::Off, given(), &entropy), (None, String::new()));
        assert_eq!(password_for(Switch::On, given(), &entropy), (given(), String::new()));
        let (stored, shown) = password_for(Switch::On, None, &entropy);
        assert_eq!(shown.len(), 32);
        assert_eq!(given_password(shown), Ok(stored));
    }
}
