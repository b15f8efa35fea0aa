//! The repo-encryption group of `CodeArts` Repo: the tenant's leave to use its keys, and the setting that says with which.
//!
//! Everything here is the tenant's own: every user of the account may ask, unless a policy denies it. What a user may not do to
//! a key it may not do through the setting either.

mod create_tenant_kms_grant;
mod fault;
mod list_tenant_cmks;
mod list_tenant_encrypted_repositories;
mod page;
mod setting;
mod show_tenant_kms_grant;
mod show_tenant_repo_encryption_setting;
mod tenant;
mod update_tenant_repo_encryption_setting;

use claviger_api::{Access, Action, Effect, Route};
use claviger_core::Permission;

pub(crate) use fault::words;

/// The principal of `CodeArts` Repo: whom the grant is for, and who holds the key.
const SERVICE: &str = "op_svc_codehub";

/// Reads per second and account.
const READS: u32 = 100;
/// Writes per second and account.
const WRITES: u32 = 20;

/// Everything one can ask of `CodeArts` Repo, by name.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        action: create_tenant_kms_grant::ACTION,
        at: "POST /v4/tenants/{tenant_id}/repo-encryption/kms-grant",
        run: |cx, request| Box::pin(create_tenant_kms_grant::run(cx, request)),
    },
    Route {
        action: list_tenant_cmks::ACTION,
        at: "GET /v4/tenants/{tenant_id}/repo-encryption/cmks",
        run: |cx, request| Box::pin(list_tenant_cmks::run(cx, request)),
    },
    Route {
        action: list_tenant_encrypted_repositories::ACTION,
        at: "GET /v4/tenants/{tenant_id}/repo-encryption/repositories",
        run: |cx, request| Box::pin(list_tenant_encrypted_repositories::run(cx, request)),
    },
    Route {
        action: show_tenant_kms_grant::ACTION,
        at: "GET /v4/tenants/{tenant_id}/repo-encryption/kms-grant",
        run: |cx, request| Box::pin(show_tenant_kms_grant::run(cx, request)),
    },
    Route {
        action: show_tenant_repo_encryption_setting::ACTION,
        at: "GET /v4/tenants/{tenant_id}/repo-encryption/setting",
        run: |cx, request| Box::pin(show_tenant_repo_encryption_setting::run(cx, request)),
    },
    Route {
        action: update_tenant_repo_encryption_setting::ACTION,
        at: "PUT /v4/tenants/{tenant_id}/repo-encryption/setting",
        run: |cx, request| Box::pin(update_tenant_repo_encryption_setting::run(cx, request)),
    },
];

const fn read(name: &'static str, permission: Permission, reference: &'static str) -> Action {
    let (effect, access) = (Effect::Reads, Access::Signed);
    Action { service: "codearts", name, permission, rate: READS, effect, access, reference }
}

const fn write(name: &'static str, permission: Permission, reference: &'static str) -> Action {
    Action { rate: WRITES, effect: Effect::Writes, ..read(name, permission, reference) }
}
