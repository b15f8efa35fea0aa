//! `ListKeys`: the keys of a project.

use claviger_api::{Action, Reply, Request};
use claviger_core::fault::KeyFault;
use claviger_core::key::list::Order;
use claviger_core::key::{Key, KeySpec};
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use crate::kms::key_info::{KeyInfo, spec, state};
use crate::kms::page::{limit, marker};
use crate::kms::parameter::{Sequence, body};
use crate::kms::read;

pub(super) const ACTION: Action =
    read("ListKeys", Permission::KeyList, "https://support.huaweicloud.com/intl/en-us/api-dew/ListKeys.html");

/// What a filter may ask for besides `ALL`; of most of these there are no keys yet.
const SPECS: [&str; 14] = [
    "AES_256",
    "EC_P256",
    "EC_P384",
    "ED25519",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "HMAC_SM3",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "SECP256K1",
    "SM2",
    "SM4",
];

#[derive(Debug, Deserialize)]
struct Ask {
    limit: Option<String>,
    marker: Option<String>,
    key_state: Option<String>,
    key_spec: Option<String>,
    enterprise_project_id: Option<String>,
    #[serde(rename = "sequence")]
    _sequence: Option<Sequence>,
}

#[derive(Debug, Serialize)]
struct Listed {
    keys: Vec<String>,
    key_details: Vec<KeyInfo>,
    next_marker: String,
    truncated: &'static str,
    total: usize,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let ask: Ask = body(request)?;
    let (offset, limit) = (marker(ask.marker.as_deref())?, limit(ask.limit.as_deref())?);
    let filter = Filter::parse(&ask)?;
    let ring = cx.ring().await?;
    // Oldest first, so that a key made between two pages does not move what is on the next.
    let listed = cx.list_keys(&ring, Order::OldestFirst, offset, limit, |key| filter.passes(key)).await?;
    let next = offset + listed.keys.len();
    let more = !listed.keys.is_empty() && next < listed.total;
    Ok(Reply::json(&Listed {
        keys: listed.keys.iter().map(|key| key.id.to_string()).collect(),
        key_details: listed.keys.iter().map(|key| KeyInfo::new(cx, key)).collect::<Result<_, _>>()?,
        next_marker: if more { next.to_string() } else { String::new() },
        truncated: if more { "true" } else { "false" },
        total: listed.total,
    }))
}

/// Which keys are listed.
#[derive(Debug)]
struct Filter<'a> {
    state: Option<&'a str>,
    spec: Option<&'a str>,
    /// There is one enterprise project; a query for another finds nothing.
    elsewhere: bool,
}

impl<'a> Filter<'a> {
    fn parse(ask: &'a Ask) -> Result<Self, Fault> {
        let state = ask.key_state.as_deref().filter(|state| !state.is_empty());
        if state.is_some_and(|state| !["1", "2", "3", "4", "5"].contains(&state)) {
            return Err(Fault::value("key_state"));
        }
        let spec = match ask.key_spec.as_deref().unwrap_or_default() {
            // Keys of other specifications are hidden unless they are asked for.
            "" => Some(spec(KeySpec::Aes256)),
            "ALL" => None,
            wanted if SPECS.contains(&wanted) => Some(wanted),
            _ => return Err(KeyFault::SpecInvalid.into()),
        };
        let elsewhere = !matches!(ask.enterprise_project_id.as_deref(), None | Some("" | "0" | "all"));
        Ok(Self { state, spec, elsewhere })
    }

    fn passes(&self, key: &Key) -> bool {
        !self.elsewhere
            && self.state.is_none_or(|wanted| wanted == state(key.state))
            && self.spec.is_none_or(|wanted| wanted == spec(key.spec))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::testing::{Ask, World, check};

    fn list(body: &Value) -> Ask {
        Ask::kms("list-keys", body)
    }

    fn create(name: &str, spec: &str) -> Ask {
        let body = json!({"key_alias": name, "key_spec": spec});
        Ask::kms("create-key", body).keep(name, "/key_info/key_id")
    }

    #[test]
    fn golden() {
        check(
            "kms.ListKeys",
            &[
                create("second-key", "AES_256"),
                list(&json!({"limit": "1"})),
                list(&json!({"limit": "1", "marker": "1"})),
                list(&json!({"limit": "0"})),
            ],
        );
    }

    #[test]
    fn filters_and_pages() {
        let mut world = World::new();
        for name in ["b", "c", "d"] {
            world.clock.advance(Duration::from_millis(1));
            world.outcomes([(create(name, "AES_256"), "200")]);
        }
        world.clock.advance(Duration::from_millis(1));
        world.outcomes([
            (create("e", "SM4"), "200"),
            (Ask::kms("disable-key", json!({"key_id": "{d}"})), "200"),
        ]);
        for (body, aliases, next, total) in [
            (json!({}), "first b c d", "", 4),
            (json!({"limit": "", "marker": "", "key_state": "", "key_spec": ""}), "first b c d", "", 4),
            (json!({"limit": 2000}), "first b c d", "", 4),
            (json!({"limit": "3"}), "first b c", "3", 4),
            (json!({"limit": "3", "marker": "3"}), "d", "", 4),
            (json!({"limit": "4"}), "first b c d", "", 4),
            (json!({"marker": "9"}), "", "", 4),
            (json!({"key_spec": "ALL"}), "first b c d e", "", 5),
            (json!({"key_spec": "SM4"}), "e", "", 1),
            (json!({"key_spec": "RSA_2048"}), "", "", 0),
            (json!({"key_state": "3"}), "d", "", 1),
            (json!({"key_state": "1"}), "", "", 0),
            (json!({"enterprise_project_id": "all"}), "first b c d", "", 4),
            (json!({"enterprise_project_id": "0d0466b0-e727-4d9c-b35d-f84bb474a37f"}), "", "", 0),
        ] {
            let found = world.send(&list(&body)).json();
            let details = found["key_details"].as_array().expect("a list");
            let names: Vec<&str> = details.iter().filter_map(|key| key["key_alias"].as_str()).collect();
            assert_eq!(names.join(" "), aliases, "{body}");
            assert_eq!((&found["next_marker"], &found["total"]), (&json!(next), &json!(total)), "{body}");
            assert_eq!(found["truncated"], if next.is_empty() { "false" } else { "true" }, "{body}");
            assert_eq!(found["keys"].as_array().map(Vec::len), Some(details.len()), "{body}");
        }
    }

    #[test]
    fn what_is_refused() {
        World::new().outcomes([
            (list(&json!({"limit": "x"})), "400 KMS.1601"),
            (list(&json!({"limit": "-1"})), "400 KMS.1601"),
            (list(&json!({"marker": "-1"})), "400 KMS.1602"),
            (list(&json!({"marker": "x"})), "400 KMS.1602"),
            (list(&json!({"key_state": "6"})), "400 KMS.0308"),
            (list(&json!({"key_spec": "DES"})), "400 KMS.1110"),
            (list(&json!({})).signed_by("alice"), "403 KMS.0307"),
            (list(&json!({})).signed_by("stranger"), "403 KMS.0321"),
        ]);
    }
}
