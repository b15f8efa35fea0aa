//! `GET /v3/auth/projects`: the projects that the caller may enter, which are all of the account's.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};

use crate::iam::origin::address;
use crate::iam::project::{Links, List, Project, Shown};
use crate::iam::read;

pub(super) const ACTION: Action = read(
    "KeystoneListAuthProjects",
    Permission::ProjectList,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_06_0003.html",
);

/// 200.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let account = cx.account().await?;
    let projects = Project::all(cx.authority, &account)
        .map(|project| Shown::new(&account, project, |path| address(request, path)))
        .collect();
    let links = Links::here(address(request, "/v3/auth/projects"));
    Ok(Reply::json(&List { links, projects }))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Ask, check};

    #[test]
    fn golden() {
        check("iam.KeystoneListAuthProjects", &[Ask::get("/v3/auth/projects").signed_by("alice")]);
    }
}
