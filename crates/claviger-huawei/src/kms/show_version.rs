//! `ShowVersion`: one version of this API.

use claviger_api::{Action, Reply, Request};
use claviger_core::fault::RouteFault;
use claviger_core::{Cx, Fault};
use serde::Serialize;

use crate::kms::open;
use crate::kms::show_versions::Version;

pub(super) const ACTION: Action =
    open("ShowVersion", "https://support.huaweicloud.com/intl/en-us/api-dew/ShowVersion.html");

#[derive(Debug, Serialize)]
struct OneVersion {
    version: Version,
}

#[expect(clippy::unused_async, reason = "every action is run in the same way")]
pub(super) async fn run(_: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    if request.captured(0) != Version::ID {
        return Err(RouteFault::VersionUnknown.into());
    }
    Ok(Reply::json(&OneVersion { version: Version::new(request) }))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Ask, check};

    #[test]
    fn golden() {
        check(
            "kms.ShowVersion",
            &[Ask::get("/v1.0").anonymous(), Ask::get("/v1.0/"), Ask::get("/v9").anonymous()],
        );
    }
}
