//! The tenant in the path.

use claviger_api::Request;
use claviger_core::fault::AuthenticationFault;
use claviger_core::{Cx, Fault, HexId};

/// The caller's account, which the path must name: nobody has a permission in another's.
pub(super) fn own(cx: &Cx<'_>, request: &Request) -> Result<HexId, Fault> {
    let own = cx.caller()?.account.hex;
    match HexId::parse(request.captured(0)) {
        Some(named) if named == own => Ok(own),
        Some(_) | None => Err(AuthenticationFault::WrongScope.into()),
    }
}

/// The path of a resource of the tenant, for tests.
#[cfg(test)]
pub(super) fn path(resource: &str) -> String {
    format!("/v4/tenants/{{domain}}/repo-encryption/{resource}")
}

#[cfg(test)]
mod tests {
    use crate::testing::{Ask, World};

    const ALL: [(&str, &str); 6] = [
        ("POST", "kms-grant"),
        ("GET", "kms-grant"),
        ("GET", "setting"),
        ("PUT", "setting"),
        ("GET", "cmks"),
        ("GET", "repositories"),
    ];

    #[test]
    fn nobody_reaches_another_tenant() {
        let mut world = World::new();
        for (method, resource) in ALL {
            for tenant in
                ["{other_domain}", "{project}", "{root_user}", "x", "0123456789abcdef0123456789abcdef"]
            {
                let path = format!("/v4/tenants/{tenant}/repo-encryption/{resource}");
                world.outcomes([(Ask::new(method, path, ""), "403 CH.004403")]);
            }
        }
    }

    #[test]
    fn nobody_enters_without_good_credentials() {
        let mut world = World::new();
        for (method, resource) in ALL {
            let ask = || Ask::new(method, super::path(resource), "");
            for ask in [ask().anonymous(), ask().with_token("nonsense"), ask().with_token("")] {
                let answer = world.send(&ask);
                let expected =
                    r#"{"error_code":"DEV.00000003","error_msg":"Authentication information expired."}"#;
                assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, expected), "{ask:?}");
            }
        }
    }
}
