//! `ShowVersions`: the versions of this API.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault};
use serde::Serialize;

use crate::kms::open;
use crate::wire::address;

pub(super) const ACTION: Action =
    open("ShowVersions", "https://support.huaweicloud.com/intl/en-us/api-dew/ShowVersions.html");

#[derive(Debug, Serialize)]
struct Versions {
    versions: [Version; 1],
}

/// The only version there is.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
pub(super) struct Version {
    id: &'static str,
    links: [Link; 1],
    version: &'static str,
    status: &'static str,
    updated: &'static str,
    min_version: &'static str,
}

#[derive(Debug, Serialize)]
struct Link {
    href: String,
    rel: &'static str,
}

impl Version {
    /// Its id.
    pub(super) const ID: &str = "v1.0";

    pub(super) fn new(request: &Request) -> Self {
        let href = address(&request.incoming, "/v1.0/");
        Self {
            id: Self::ID,
            links: [Link { href, rel: "self" }],
            version: "",
            status: "CURRENT",
            updated: "2016-10-29T02:00:00Z",
            min_version: "",
        }
    }
}

#[expect(clippy::unused_async, reason = "every action is run in the same way")]
pub(super) async fn run(_: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    Ok(Reply::json(&Versions { versions: [Version::new(request)] }))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Ask, check};

    #[test]
    fn golden() {
        check("kms.ShowVersions", &[Ask::get("/").anonymous(), Ask::get("/")]);
    }
}
