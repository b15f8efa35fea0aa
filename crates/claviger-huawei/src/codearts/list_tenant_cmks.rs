//! `GET …/cmks`: the keys with which repositories could be encrypted.

use claviger_api::{Action, Reply, Request};
use claviger_core::key::KeyState;
use claviger_core::key::list::Order;
use claviger_core::{Cx, Fault, KeyId, Permission};
use hyper::StatusCode;
use serde::Serialize;

use crate::codearts::page::Page;
use crate::codearts::read;
use crate::codearts::setting::{state_number, suits};
use crate::codearts::tenant;

pub(super) const ACTION: Action = read(
    "ListTenantCMKs",
    Permission::KeyList,
    "https://support.huaweicloud.com/intl/en-us/api-codeartsrepo/ListTenantCMKs.html",
);

#[derive(Serialize)]
struct Cmk {
    #[serde(rename = "cmk_key_id")]
    id: KeyId,
    #[serde(rename = "cmk_key_name")]
    name: String,
    key_state: u8,
}

/// 202 with a list, newest first: the tenant's enabled symmetric keys.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    tenant::own(cx, request)?;
    let Page { offset, limit } = Page::read(request)?;
    let ring = cx.ring().await?;
    let fits = |key: &claviger_core::key::Key| key.state == KeyState::Enabled && suits(key.spec);
    let listed = cx.list_keys(&ring, Order::NewestFirst, offset, limit, fits).await?;
    let cmks: Vec<Cmk> = listed
        .keys
        .into_iter()
        .map(|key| Cmk { id: key.id, key_state: state_number(key.state), name: key.alias })
        .collect();
    Ok(Reply::json_as(StatusCode::ACCEPTED, &cmks))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::codearts::tenant::path;
    use crate::testing::{Ask, World, check};

    #[test]
    fn golden() {
        check(
            "codearts.ListTenantCMKs",
            &[
                Ask::get(path("cmks")),
                Ask::get(path("cmks?offset=1")).signed_by("alice"),
                Ask::get(path("cmks?limit=101")),
                Ask::kms("disable-key", json!({"key_id": "{key}"})),
                Ask::get(path("cmks")),
            ],
        );
    }

    #[test]
    fn pages_are_cut() {
        let mut world = World::new();
        for number in 1..=20 {
            world.send(&Ask::kms("create-key", json!({"key_alias": format!("k{number}")})));
        }
        for (query, length) in [
            ("", 20),
            ("?limit=1", 1),
            ("?limit=100", 21),
            ("?offset=20", 1),
            ("?offset=21", 0),
            ("?offset=2147483647&limit=1", 0),
            ("?offset=&limit=", 20),
        ] {
            let list = world.send(&Ask::get(path(&format!("cmks{query}")))).json();
            assert_eq!(list.as_array().map(Vec::len), Some(length), "{query}");
            let states: Vec<&Value> =
                list.as_array().into_iter().flatten().map(|cmk| &cmk["key_state"]).collect();
            assert!(states.iter().all(|state| **state == 2), "{query}: {states:?}");
        }
        for query in ["limit=0", "limit=101", "limit=x", "offset=-1", "offset=2147483648"] {
            world.outcomes([(Ask::get(path(&format!("cmks?{query}"))), "400 CH.010001")]);
        }
    }
}
