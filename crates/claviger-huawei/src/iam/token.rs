//! A token as answers show it.

use claviger_api::{Reply, Request};
use claviger_core::records::{Account, User};
use claviger_core::token::Claims;
use claviger_core::{Fault, HexId};
use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;

use crate::iam::catalog::{self, Service};
use crate::iam::instant::instant;
use crate::iam::project::Project;
use crate::iam::query;

/// Where the token travels that a request is about.
pub(super) const SUBJECT: &str = "x-subject-token";

#[derive(Serialize)]
struct Body<'a> {
    token: Token<'a>,
}

#[derive(Serialize)]
struct Token<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<Vec<Service>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<Named<'a>>,
    expires_at: String,
    issued_at: String,
    methods: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<Owned<'a>>,
    roles: &'static [Role],
    user: TokenUser<'a>,
}

/// A thing with a name.
#[derive(Serialize)]
struct Named<'a> {
    id: HexId,
    name: &'a str,
}

/// A thing with a name in an account.
#[derive(Serialize)]
struct Owned<'a> {
    domain: Named<'a>,
    id: HexId,
    name: &'a str,
}

#[derive(Serialize)]
struct TokenUser<'a> {
    domain: Named<'a>,
    id: HexId,
    name: &'a str,
    /// Empty: it does not expire.
    password_expires_at: &'static str,
}

#[derive(Serialize)]
struct Role {
    id: &'static str,
    name: &'static str,
}

/// What the root user is in Huawei's words. Others have policies, which are no roles.
const ROOT_ROLES: &[Role] = &[Role { id: "0", name: "te_admin" }, Role { id: "0", name: "secu_admin" }];

/// The answer with a token's header and description; `project` is what it is for, none for the account. The catalog is left out
/// if the query says so.
pub(super) fn reply(
    request: &Request,
    status: StatusCode,
    token: &str,
    claims: &Claims,
    (account, user): (&Account, &User),
    project: Option<&Project>,
) -> Result<Reply, Fault> {
    let without = query::value(request, "nocatalog")?.is_some_and(|value| !value.is_empty());
    let domain = || Named { id: account.hex, name: &account.name };
    let body = Body {
        token: Token {
            catalog: (!without).then(|| catalog::services(request, project)),
            domain: project.is_none().then(domain),
            expires_at: instant(claims.expires),
            issued_at: instant(claims.issued),
            methods: &claims.methods,
            project: project.map(|project| Owned { domain: domain(), id: project.id, name: &project.name }),
            roles: if user.is_root() { ROOT_ROLES } else { &[] },
            user: TokenUser { domain: domain(), id: user.hex, name: &user.name, password_expires_at: "" },
        },
    };
    let (name, value) = header(token)?;
    Ok(Reply::json_as(status, &body).with_header(name, value))
}

/// The header that carries a token.
pub(super) fn header(token: &str) -> Result<(HeaderName, HeaderValue), Fault> {
    let mut value = HeaderValue::from_str(token).map_err(|_| Fault::Internal)?;
    value.set_sensitive(true);
    Ok((HeaderName::from_static(SUBJECT), value))
}
