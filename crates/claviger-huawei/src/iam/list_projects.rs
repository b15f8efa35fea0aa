//! `GET /v3/projects`: the account's projects that fit the query.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, HexId, Permission};

use crate::iam::origin::address;
use crate::iam::project::{Links, List, Project, Shown};
use crate::iam::query;
use crate::iam::read;

pub(super) const ACTION: Action = read(
    "KeystoneListProjects",
    Permission::ProjectList,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_06_0001.html",
);

/// Most projects of a page.
const PER_PAGE: usize = 5000;

/// 200. With a name, the one project that answers to it; SDKs without a project id ask this and expect exactly one.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let account = cx.account().await?;
    let wanted = Query::read(request)?;
    let found: Vec<Project> = match &wanted.name {
        Some(name) => Project::named(cx.authority, &account, name).into_iter().collect(),
        None => Project::all(cx.authority, &account).collect(),
    };
    let projects = found
        .into_iter()
        .filter(|_| wanted.fits(account.hex))
        .skip(wanted.skip)
        .take(wanted.take)
        .map(|project| Shown::new(&account, project, |path| address(request, path)))
        .collect();
    let links = Links::here(address(request, "/v3/projects"));
    Ok(Reply::json(&List { links, projects }))
}

/// What is asked for.
struct Query {
    domain_id: Option<String>,
    parent_id: Option<String>,
    name: Option<String>,
    enabled: bool,
    is_domain: bool,
    skip: usize,
    take: usize,
}

impl Query {
    fn read(request: &Request) -> Result<Self, Fault> {
        let text = |name| Ok::<_, Fault>(query::value(request, name)?.filter(|value| !value.is_empty()));
        let truth = |name, absent| match text(name)?.map(|value| value.to_ascii_lowercase()).as_deref() {
            None => Ok(absent),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(Fault::value(name)),
        };
        let page = query::number(request, "page", 1..=usize::MAX)?.unwrap_or(1);
        let take = query::number(request, "per_page", 1..=PER_PAGE)?.unwrap_or(PER_PAGE);
        Ok(Self {
            domain_id: text("domain_id")?,
            parent_id: text("parent_id")?,
            name: text("name")?,
            enabled: truth("enabled", true)?,
            is_domain: truth("is_domain", false)?,
            skip: (page - 1).saturating_mul(take),
            take,
        })
    }

    /// Whether projects of the account `own` fit: all are enabled, none is an account, and the account is their parent.
    fn fits(&self, own: HexId) -> bool {
        let is_own = |id: &Option<String>| id.as_ref().is_none_or(|id| HexId::parse(id) == Some(own));
        self.enabled && !self.is_domain && is_own(&self.domain_id) && is_own(&self.parent_id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Ask, World, check};

    #[test]
    fn golden() {
        check(
            "iam.KeystoneListProjects",
            &[
                Ask::get("/v3/projects?name=cn-north-4"),
                Ask::get("/v3/projects"),
                Ask::get("/v3/projects?domain_id={other_domain}"),
                Ask::get("/v3/projects?page=0"),
                Ask::get("/v3/projects").anonymous(),
            ],
        );
    }

    #[test]
    fn queries_find_the_projects_they_mean() {
        let mut world = World::new();
        let (longest, longer) = ("n".repeat(64), "n".repeat(65));
        for (query, expected) in [
            ("", json!(["local"])),
            ("name=cn-north-4", json!(["cn-north-4"])),
            ("name=cn%2Dnorth-4&enabled=True", json!(["cn-north-4"])),
            ("name=local", json!(["local"])),
            ("name=", json!(["local"])),
            ("name=no%20such", json!([])),
            (&format!("name={longest}"), json!([longest])),
            (&format!("name={longer}"), json!([])),
            ("domain_id={domain}", json!(["local"])),
            ("domain_id={other_domain}", json!([])),
            ("parent_id={domain}", json!(["local"])),
            ("parent_id={other_domain}&name=x", json!([])),
            ("domain_id=x", json!([])),
            ("enabled=false", json!([])),
            ("is_domain=true", json!([])),
            ("page=1&per_page=1", json!(["local"])),
            ("page=2&per_page=1", json!([])),
            ("page=18446744073709551615&per_page=5000", json!([])),
        ] {
            let body = world.send(&Ask::get(format!("/v3/projects?{query}"))).json();
            let list = body["projects"].as_array().expect("a list");
            let names: Vec<_> = list.iter().map(|shown| &shown["name"]).collect();
            assert_eq!(json!(names), expected, "{query}");
        }
        for query in ["enabled=maybe", "is_domain=2", "page=0", "per_page=0", "per_page=5001", "page=x"] {
            world.outcomes([(Ask::get(format!("/v3/projects?{query}")), "400")]);
        }
    }
}
