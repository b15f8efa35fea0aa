//! IAM: tokens, projects, accounts and permanent access keys.
//!
//! One law for all dialects: a user without policies may get a token and see the projects, and nothing else. Huawei Cloud lets
//! a user manage its own access keys without a policy; here that takes the same permission as anybody else's keys, because the
//! same key is law in every dialect and a stolen one must not be able to make its successor.

mod catalog;
mod check_token;
mod create_permanent_access_key;
mod create_token;
mod credential;
mod delete_permanent_access_key;
mod fault;
mod identity;
mod instant;
mod list_auth_domains;
mod list_auth_projects;
mod list_permanent_access_keys;
mod list_projects;
mod origin;
mod project;
pub(crate) mod query;
mod revoke_token;
mod scope;
mod show_catalog;
mod show_permanent_access_key;
mod show_version;
mod subject;
mod token;
mod update_permanent_access_key;
mod validate_token;

#[cfg(test)]
mod logins;
#[cfg(test)]
mod security;

use claviger_api::params::{Lenience, Style};
use claviger_api::{Access, Action, Effect, Route};
use claviger_core::Permission;

pub(crate) use fault::{complaint, words};

/// Clients write numbers as texts and texts as numbers; both are taken.
pub(crate) const STYLE: Style =
    Style { number_as_text: Lenience::Accepted, text_as_number: Lenience::Accepted };

/// Logins per second and source address: each costs a password hash.
const LOGINS: u32 = 20;
/// Reads per second and account.
const READS: u32 = 100;
/// Writes per second and account.
const WRITES: u32 = 20;

/// Everything one can ask of IAM, by name.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        action: create_permanent_access_key::ACTION,
        at: "POST /v3.0/OS-CREDENTIAL/credentials",
        run: |cx, request| Box::pin(create_permanent_access_key::run(cx, request)),
    },
    Route {
        action: delete_permanent_access_key::ACTION,
        at: "DELETE /v3.0/OS-CREDENTIAL/credentials/{access_key}",
        run: |cx, request| Box::pin(delete_permanent_access_key::run(cx, request)),
    },
    Route {
        action: check_token::ACTION,
        at: "HEAD /v3/auth/tokens",
        run: |cx, request| Box::pin(check_token::run(cx, request)),
    },
    Route {
        action: create_token::ACTION,
        at: "POST /v3/auth/tokens",
        run: |cx, request| Box::pin(create_token::run(cx, request)),
    },
    Route {
        action: list_auth_domains::ACTION,
        at: "GET /v3/auth/domains",
        run: |cx, request| Box::pin(list_auth_domains::run(cx, request)),
    },
    Route {
        action: list_auth_projects::ACTION,
        at: "GET /v3/auth/projects",
        run: |cx, request| Box::pin(list_auth_projects::run(cx, request)),
    },
    Route {
        action: list_projects::ACTION,
        at: "GET /v3/projects",
        run: |cx, request| Box::pin(list_projects::run(cx, request)),
    },
    Route {
        action: revoke_token::ACTION,
        at: "DELETE /v3/auth/tokens",
        run: |cx, request| Box::pin(revoke_token::run(cx, request)),
    },
    Route {
        action: show_catalog::ACTION,
        at: "GET /v3/auth/catalog",
        run: |cx, request| Box::pin(show_catalog::run(cx, request)),
    },
    Route { action: show_version::ACTION, at: "GET /v3", run: show_version::run },
    Route {
        action: validate_token::ACTION,
        at: "GET /v3/auth/tokens",
        run: |cx, request| Box::pin(validate_token::run(cx, request)),
    },
    Route {
        action: list_permanent_access_keys::ACTION,
        at: "GET /v3.0/OS-CREDENTIAL/credentials",
        run: |cx, request| Box::pin(list_permanent_access_keys::run(cx, request)),
    },
    Route {
        action: show_permanent_access_key::ACTION,
        at: "GET /v3.0/OS-CREDENTIAL/credentials/{access_key}",
        run: |cx, request| Box::pin(show_permanent_access_key::run(cx, request)),
    },
    Route {
        action: update_permanent_access_key::ACTION,
        at: "PUT /v3.0/OS-CREDENTIAL/credentials/{access_key}",
        run: |cx, request| Box::pin(update_permanent_access_key::run(cx, request)),
    },
];

const fn read(name: &'static str, permission: Permission, reference: &'static str) -> Action {
    let (effect, access) = (Effect::Reads, Access::Signed);
    Action { service: "iam", name, permission, rate: READS, effect, access, reference }
}

const fn write(name: &'static str, permission: Permission, reference: &'static str) -> Action {
    Action { rate: WRITES, effect: Effect::Writes, ..read(name, permission, reference) }
}
