//! How the client of a login says who it is, and the proof of it.

use std::sync::Arc;

use claviger_core::access_key::ID_BYTES;
use claviger_core::fault::{AuthenticationFault, ParameterFault, ParameterProblem};
use claviger_core::records::{HexName, User};
use claviger_core::{AccountId, Authority, Cx, Fault, HexId, Moment, Proof, Secret};
use serde::{Deserialize, Deserializer};

/// `auth.identity`: one method, and what it needs.
#[derive(Deserialize)]
pub(super) struct Identity {
    methods: Vec<String>,
    password: Option<ByPassword>,
    token: Option<ByToken>,
    hw_ak_sk: Option<ByAccessKey>,
}

#[derive(Deserialize)]
struct ByPassword {
    user: Login,
}

/// A user by id, or by name and account.
#[derive(Deserialize)]
struct Login {
    id: Option<String>,
    name: Option<String>,
    domain: Option<Domain>,
    #[serde(deserialize_with = "secret")]
    password: Secret,
}

/// An account by id or name.
#[derive(Debug, Deserialize)]
pub(super) struct Domain {
    /// Its hex name.
    pub(super) id: Option<String>,
    /// Its name.
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
struct ByToken {
    id: String,
}

#[derive(Deserialize)]
struct ByAccessKey {
    access: Access,
    secret: AccessSecret,
}

#[derive(Deserialize)]
struct Access {
    key: String,
}

#[derive(Deserialize)]
struct AccessSecret {
    #[serde(deserialize_with = "secret")]
    key: Secret,
}

/// A login that succeeded.
pub(super) struct Proven {
    /// The proof.
    pub(super) proof: Proof,
    /// By which method.
    pub(super) method: String,
    /// When a token made from it ends at the latest, if it was made from another.
    pub(super) not_after: Option<Moment>,
}

/// Longest name of a method that is repeated to the client, in characters.
const METHOD_CHARS: usize = 64;

impl Identity {
    /// Proves it. Whatever is wrong with the credentials, the answer is the same, at about the same cost.
    pub(super) async fn prove(self, cx: &Cx<'_>) -> Result<Proven, Fault> {
        let mut methods = self.methods.into_iter();
        let method = methods.next().ok_or(Fault::value("auth.identity.methods"))?;
        if let Some(second) = methods.next() {
            // The only pair there is on the real service is a password with a one-time code.
            return Err(unsupported(&format!("{method}+{second}")));
        }
        let mut not_after = None;
        let proof = match method.as_str() {
            "hw_ak_sk" => {
                by_access_key(cx, self.hw_ak_sk.ok_or(Fault::missing("auth.identity.hw_ak_sk"))?).await?
            }
            "password" => {
                by_password(cx, self.password.ok_or(Fault::missing("auth.identity.password"))?.user).await?
            }
            "token" => {
                let token = self.token.ok_or(Fault::missing("auth.identity.token"))?.id;
                not_after = Some(cx.authority.read_token(&token).await?.expires);
                cx.authority.prove_by_token(&token).await?
            }
            other => return Err(unsupported(other)),
        };
        Ok(Proven { proof, method, not_after })
    }
}

async fn by_access_key(cx: &Cx<'_>, given: ByAccessKey) -> Result<Proof, Fault> {
    let id = given.access.key;
    let found = if id.len() <= ID_BYTES { cx.authority.access_key(&id).await? } else { None };
    let access_key = found.filter(|access_key| access_key.record.active).ok_or_else(wrong)?;
    cx.touch(|| format!("user/{}", access_key.record.user.0));
    access_key.prove_by_secret(&given.secret.key)
}

async fn by_password(cx: &Cx<'_>, login: Login) -> Result<Proof, Fault> {
    let user = find(cx.authority, &login).await?;
    if let Some(user) = &user {
        // Named before the password is checked, so that the audit shows whose was tried.
        cx.touch(|| format!("user/{}", user.id.0));
    }
    cx.authority.prove_by_password(user, login.password).await
}

/// The user of a login, if there is one.
async fn find(authority: &Authority, login: &Login) -> Result<Option<Arc<User>>, Fault> {
    let id = match (&login.id, &login.name, &login.domain) {
        (Some(id), _, _) => match named(authority, id).await? {
            Some(HexName::User(user)) => Some(user),
            Some(HexName::Account(_) | HexName::Project(..)) | None => None,
        },
        (None, Some(name), Some(domain)) => match account(authority, domain).await? {
            Some(account) => authority.user_named(account, name).await?,
            None => None,
        },
        (None, Some(_), None) => return Err(Fault::missing("auth.identity.password.user.domain")),
        (None, None, _) => return Err(Fault::missing("auth.identity.password.user.name")),
    };
    match id {
        Some(id) => authority.user(id).await,
        None => Ok(None),
    }
}

async fn account(authority: &Authority, domain: &Domain) -> Result<Option<AccountId>, Fault> {
    match (&domain.id, &domain.name) {
        (Some(id), _) => match named(authority, id).await? {
            Some(HexName::Account(account)) => Ok(Some(account)),
            Some(HexName::Project(..) | HexName::User(_)) | None => Ok(None),
        },
        (None, Some(name)) => authority.account_named(name).await,
        (None, None) => Err(Fault::missing("auth.identity.password.user.domain.name")),
    }
}

async fn named(authority: &Authority, id: &str) -> Result<Option<HexName>, Fault> {
    match HexId::parse(id) {
        Some(id) => Ok(authority.hex(id).await?.map(|name| (*name).clone())),
        None => Ok(None),
    }
}

fn wrong() -> Fault {
    AuthenticationFault::PasswordWrong.into()
}

/// A method of the real service that is not there yet, or one of nobody's.
fn unsupported(method: &str) -> Fault {
    let method: String = method.chars().take(METHOD_CHARS).collect();
    let name = format!("The method '{method}' in auth.identity.methods").into();
    ParameterFault { name, problem: ParameterProblem::Unknown }.into()
}

/// Reads a text straight into the type that wipes it.
fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::from)
}
