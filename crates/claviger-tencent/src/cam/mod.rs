//! CAM 2019-01-16: users, access keys, policies. <https://www.tencentcloud.com/document/product/598/32222> lists the actions.

mod access_key;
mod add_user;
mod attach_user_policy;
mod beijing_time;
mod create_access_key;
mod create_policy;
mod delete_access_key;
mod delete_user;
mod detach_user_policy;
mod fault;
mod get_policy;
mod get_security_last_used;
mod get_user;
mod list_access_keys;
mod list_attached_user_policies;
mod list_users;
mod policy_document;
mod profile;
#[cfg(test)]
mod tests;
mod update_access_key;

pub(crate) use fault::words;
pub use policy_document::parse_policy;

use claviger_api::Route;

/// The actions.
pub(crate) static ROUTES: &[Route] = &[
    Route { action: add_user::ACTION, at: "", run: |cx, r| Box::pin(add_user::run(cx, r)) },
    Route {
        action: attach_user_policy::ACTION,
        at: "",
        run: |cx, r| Box::pin(attach_user_policy::run(cx, r)),
    },
    Route { action: create_access_key::ACTION, at: "", run: |cx, r| Box::pin(create_access_key::run(cx, r)) },
    Route { action: create_policy::ACTION, at: "", run: |cx, r| Box::pin(create_policy::run(cx, r)) },
    Route { action: delete_access_key::ACTION, at: "", run: |cx, r| Box::pin(delete_access_key::run(cx, r)) },
    Route { action: delete_user::ACTION, at: "", run: |cx, r| Box::pin(delete_user::run(cx, r)) },
    Route {
        action: detach_user_policy::ACTION,
        at: "",
        run: |cx, r| Box::pin(detach_user_policy::run(cx, r)),
    },
    Route { action: get_policy::ACTION, at: "", run: |cx, r| Box::pin(get_policy::run(cx, r)) },
    Route {
        action: get_security_last_used::ACTION,
        at: "",
        run: |cx, r| Box::pin(get_security_last_used::run(cx, r)),
    },
    Route { action: get_user::ACTION, at: "", run: |cx, r| Box::pin(get_user::run(cx, r)) },
    Route { action: list_access_keys::ACTION, at: "", run: |cx, r| Box::pin(list_access_keys::run(cx, r)) },
    Route {
        action: list_attached_user_policies::ACTION,
        at: "",
        run: |cx, r| Box::pin(list_attached_user_policies::run(cx, r)),
    },
    Route { action: list_users::ACTION, at: "", run: |cx, r| Box::pin(list_users::run(cx, r)) },
    Route { action: update_access_key::ACTION, at: "", run: |cx, r| Box::pin(update_access_key::run(cx, r)) },
];
