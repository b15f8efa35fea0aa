//! KMS: keys, data under them, and their tags.

mod batch_create_kms_tags;
mod bound;
mod cancel_key_deletion;
mod create_datakey;
mod create_key;
mod create_kms_tag;
mod decrypt_data;
mod delete_key;
mod delete_tag;
mod disable_key;
mod enable_key;
mod encrypt_data;
mod fault;
mod key_info;
mod list_key_detail;
mod list_keys;
mod list_kms_by_tags;
mod list_kms_tags;
mod method_not_allowed;
mod page;
mod parameter;
mod show_kms_tags;
mod show_version;
mod show_versions;
#[cfg(test)]
mod states;
mod tag_item;

use claviger_api::{Access, Action, Effect, Route};
use claviger_core::Permission;

pub(crate) use fault::words;
pub(crate) use method_not_allowed::METHOD_NOT_ALLOWED;

/// Requests per second and account. What this cloud allows is not documented; these are the usual figures of its gateway.
const RATE: u32 = 100;
/// The same for actions that use a key.
const CRYPTO_RATE: u32 = 300;

/// Everything one can ask of KMS, by name.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        action: batch_create_kms_tags::ACTION,
        at: "POST /v1.0/{project_id}/kms/{key_id}/tags/action",
        run: |cx, request| Box::pin(batch_create_kms_tags::run(cx, request)),
    },
    Route {
        action: cancel_key_deletion::ACTION,
        at: "POST /v1.0/{project_id}/kms/cancel-key-deletion",
        run: |cx, request| Box::pin(cancel_key_deletion::run(cx, request)),
    },
    Route {
        action: create_datakey::ACTION,
        at: "POST /v1.0/{project_id}/kms/create-datakey",
        run: |cx, request| Box::pin(create_datakey::run(cx, request)),
    },
    Route {
        action: create_key::ACTION,
        at: "POST /v1.0/{project_id}/kms/create-key",
        run: |cx, request| Box::pin(create_key::run(cx, request)),
    },
    Route {
        action: create_kms_tag::ACTION,
        at: "POST /v1.0/{project_id}/kms/{key_id}/tags",
        run: |cx, request| Box::pin(create_kms_tag::run(cx, request)),
    },
    Route {
        action: decrypt_data::ACTION,
        at: "POST /v1.0/{project_id}/kms/decrypt-data",
        run: |cx, request| Box::pin(decrypt_data::run(cx, request)),
    },
    Route {
        action: delete_key::ACTION,
        at: "POST /v1.0/{project_id}/kms/schedule-key-deletion",
        run: |cx, request| Box::pin(delete_key::run(cx, request)),
    },
    Route {
        action: delete_tag::ACTION,
        at: "DELETE /v1.0/{project_id}/kms/{key_id}/tags/{key...}",
        run: |cx, request| Box::pin(delete_tag::run(cx, request)),
    },
    Route {
        action: disable_key::ACTION,
        at: "POST /v1.0/{project_id}/kms/disable-key",
        run: |cx, request| Box::pin(disable_key::run(cx, request)),
    },
    Route {
        action: enable_key::ACTION,
        at: "POST /v1.0/{project_id}/kms/enable-key",
        run: |cx, request| Box::pin(enable_key::run(cx, request)),
    },
    Route {
        action: encrypt_data::ACTION,
        at: "POST /v1.0/{project_id}/kms/encrypt-data",
        run: |cx, request| Box::pin(encrypt_data::run(cx, request)),
    },
    Route {
        action: list_key_detail::ACTION,
        at: "POST /v1.0/{project_id}/kms/describe-key",
        run: |cx, request| Box::pin(list_key_detail::run(cx, request)),
    },
    Route {
        action: list_keys::ACTION,
        at: "POST /v1.0/{project_id}/kms/list-keys",
        run: |cx, request| Box::pin(list_keys::run(cx, request)),
    },
    Route {
        action: list_kms_by_tags::ACTION,
        at: "POST /v1.0/{project_id}/kms/resource_instances/action",
        run: |cx, request| Box::pin(list_kms_by_tags::run(cx, request)),
    },
    Route {
        action: list_kms_tags::ACTION,
        at: "GET /v1.0/{project_id}/kms/tags",
        run: |cx, request| Box::pin(list_kms_tags::run(cx, request)),
    },
    Route {
        action: show_kms_tags::ACTION,
        at: "GET /v1.0/{project_id}/kms/{key_id}/tags",
        run: |cx, request| Box::pin(show_kms_tags::run(cx, request)),
    },
    Route {
        action: show_version::ACTION,
        at: "GET /{version_id}",
        run: |cx, request| Box::pin(show_version::run(cx, request)),
    },
    Route {
        action: show_versions::ACTION,
        at: "GET /",
        run: |cx, request| Box::pin(show_versions::run(cx, request)),
    },
];

/// Whether a path is this service's: refusals of the wrong method are its own.
pub(crate) fn has(path: &str) -> bool {
    path.split('/').nth(3) == Some("kms")
}

const fn read(name: &'static str, permission: Permission, reference: &'static str) -> Action {
    Action {
        service: "kms",
        name,
        permission,
        rate: RATE,
        effect: Effect::Reads,
        access: Access::Signed,
        reference,
    }
}

const fn crypto(name: &'static str, permission: Permission, reference: &'static str) -> Action {
    Action { rate: CRYPTO_RATE, ..read(name, permission, reference) }
}

const fn write(name: &'static str, permission: Permission, reference: &'static str) -> Action {
    Action { effect: Effect::Writes, ..read(name, permission, reference) }
}

const fn open(name: &'static str, reference: &'static str) -> Action {
    Action { access: Access::Open, ..read(name, Permission::VersionRead, reference) }
}
