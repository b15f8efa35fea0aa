//! `GET /v3`: the version of the Keystone API.

use std::future::ready;

use claviger_api::{Access, Action, Reply, Request, Running};
use claviger_core::{Cx, Permission};
use serde_json::json;

use crate::iam::origin::address;
use crate::iam::read;

pub(super) const ACTION: Action = Action {
    access: Access::Open,
    ..read(
        "KeystoneShowVersion",
        Permission::VersionRead,
        "https://support.huaweicloud.com/intl/en-us/api-iam/iam_15_0003.html",
    )
};

/// 200; open to everybody.
pub(super) fn run<'a>(_cx: &'a Cx<'a>, request: &'a Request) -> Running<'a, Reply> {
    let body = json!({
        "version": {
            "id": "v3.6",
            "links": [{"href": address(request, "/v3/"), "rel": "self"}],
            "media-types": [
                {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"},
            ],
            "status": "stable",
            "updated": "2016-04-04T00:00:00Z",
        },
    });
    Box::pin(ready(Ok(Reply::json(&body))))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Ask, check};

    #[test]
    fn golden() {
        check("iam.KeystoneShowVersion", &[Ask::get("/v3").anonymous()]);
    }
}
