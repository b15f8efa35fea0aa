//! `GET …/repositories`: the tenant's encrypted repositories.
//!
//! There are none. Claviger hosts no repositories; it keeps the grant and the setting by which a repository host would use the
//! tenant's keys. The parameters are checked as if there were some, so that a client's mistake shows here too.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use hyper::StatusCode;

use crate::codearts::page::Page;
use crate::codearts::read;
use crate::codearts::tenant;
use crate::iam::query;

pub(super) const ACTION: Action = read(
    "ListTenantEncryptedRepositories",
    Permission::SettingRead,
    "https://support.huaweicloud.com/intl/en-us/api-codeartsrepo/ListTenantEncryptedRepositories.html",
);

/// 202 with an empty list.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    tenant::own(cx, request)?;
    Page::read(request)?;
    one_of(request, "order_by", ["repoName", "ownerName"])?;
    one_of(request, "sort", ["asc", "desc"])?;
    cx.ring().await?;
    let none: [(); 0] = [];
    Ok(Reply::json_as(StatusCode::ACCEPTED, &none))
}

fn one_of(request: &Request, name: &'static str, allowed: [&str; 2]) -> Result<(), Fault> {
    match query::value(request, name)? {
        Some(value) if !value.is_empty() && !allowed.contains(&value.as_str()) => Err(Fault::value(name)),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::codearts::tenant::path;
    use crate::testing::{Ask, World, check};

    #[test]
    fn golden() {
        check(
            "codearts.ListTenantEncryptedRepositories",
            &[Ask::get(path("repositories")), Ask::get(path("repositories?sort=up"))],
        );
    }

    #[test]
    fn parameters_are_checked() {
        let mut world = World::new();
        for (query, outcome) in [
            ("?offset=5&limit=100&order_by=ownerName&sort=asc", "202"),
            ("?order_by=repoName&sort=desc", "202"),
            ("?order_by=&sort=", "202"),
            ("?order_by=name", "400 CH.010001"),
            ("?sort=ASC", "400 CH.010001"),
            ("?limit=101", "400 CH.010001"),
            ("?offset=-1", "400 CH.010001"),
        ] {
            world.outcomes([(Ask::get(path(&format!("repositories{query}"))), outcome)]);
        }
    }
}
