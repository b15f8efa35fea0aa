//! STS 2018-08-13: who one is.

mod fault;
mod get_caller_identity;

pub(crate) use fault::words;

use claviger_api::Route;

/// The actions.
pub(crate) static ROUTES: &[Route] = &[Route {
    action: get_caller_identity::ACTION,
    at: "",
    run: |cx, r| Box::pin(get_caller_identity::run(cx, r)),
}];
