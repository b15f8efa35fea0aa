//! Part of tag 2018-08-13: the two actions without which Terraform cannot manage keys and users.

mod describe_resource_tags_by_resource_ids;
mod fault;
mod modify_resource_tags;
mod resource;
#[cfg(test)]
mod tests;

pub(crate) use fault::words;

use claviger_api::Route;

/// The actions.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        action: describe_resource_tags_by_resource_ids::ACTION,
        at: "",
        run: |cx, r| Box::pin(describe_resource_tags_by_resource_ids::run(cx, r)),
    },
    Route {
        action: modify_resource_tags::ACTION,
        at: "",
        run: |cx, r| Box::pin(modify_resource_tags::run(cx, r)),
    },
];
