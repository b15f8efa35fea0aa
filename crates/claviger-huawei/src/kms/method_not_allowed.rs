//! The answer to a KMS path with a method that it does not have. Not an action one can ask for, but answered like one, so that
//! it is counted, limited and audited.

use claviger_api::{Action, Route};
use claviger_core::Fault;
use claviger_core::fault::RouteFault;

use crate::kms::open;

const ACTION: Action =
    open("MethodNotAllowed", "https://support.huaweicloud.com/intl/en-us/api-dew/ErrorCode.html");

/// Leads nowhere.
pub(crate) static METHOD_NOT_ALLOWED: Route = Route {
    action: ACTION,
    at: "",
    run: |_, _| Box::pin(async { Err(Fault::Route(RouteFault::MethodNotAllowed)) }),
};

#[cfg(test)]
mod tests {
    use crate::testing::{Ask, World};

    #[test]
    fn other_methods_are_refused() {
        World::new().outcomes([
            (Ask::get("/v1.0/{project}/kms/list-keys"), "405 KMS.0215"),
            (Ask::get("/v1.0/{project}/kms/list-keys").anonymous(), "405 KMS.0215"),
            (Ask::new("PUT", "/v1.0/{project}/kms/{key}/tags", ""), "405 KMS.0215"),
            (Ask::delete("/v1.0/{project}/kms/{key}/tags"), "405 KMS.0215"),
            (Ask::post("/", ""), "405 APIGW.0101"),
            (Ask::post("/v1.0", ""), "404 APIGW.0101"),
            (Ask::post("/nothing", ""), "404 APIGW.0101"),
            (Ask::get("/v1.0/{project}/kms/frobnicate"), "404 APIGW.0101"),
            (Ask::get("/v9/{project}/kms/list-keys"), "404 APIGW.0101"),
        ]);
    }
}
