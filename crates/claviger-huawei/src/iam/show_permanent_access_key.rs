//! `GET /v3.0/OS-CREDENTIAL/credentials/{access_key}`: one access key.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::Serialize;

use crate::iam::credential::{self, One, Shown};
use crate::iam::instant::instant;
use crate::iam::read;

pub(super) const ACTION: Action = read(
    "ShowPermanentAccessKey",
    Permission::AccessKeyList,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_03_0002.html",
);

#[derive(Serialize)]
struct WithUse {
    #[serde(flatten)]
    shown: Shown,
    last_use_time: String,
}

/// 200. A key that was never used was last used when it was made.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let id = request.captured(0);
    let owner = credential::owner_of(cx, id).await?;
    let record = cx.show_access_key(&owner, id).await?;
    let used = cx.access_key_last_used(id).await?.unwrap_or(record.created);
    let credential = WithUse { shown: Shown::new(&owner, record), last_use_time: instant(used) };
    Ok(Reply::json(&One { credential }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::testing::{Ask, World, check};

    #[test]
    fn golden() {
        let ask = |id: &str| Ask::get(format!("/v3.0/OS-CREDENTIAL/credentials/{id}"));
        check(
            "iam.ShowPermanentAccessKey",
            &[
                ask("{alice_access_key}"),
                ask("NOSUCHKEY"),
                ask("{stranger_access_key}"),
                ask("{alice_access_key}").signed_by("alice"),
            ],
        );
    }

    #[test]
    fn the_last_use_is_shown() {
        let mut world = World::new();
        let ask = Ask::get("/v3.0/OS-CREDENTIAL/credentials/{alice_access_key}");
        let used = |world: &mut World| world.send(&ask).json()["credential"]["last_use_time"].clone();
        assert_eq!(used(&mut world), "2026-01-02T03:04:05.000000Z", "never used: when it was made");
        world.clock.advance(Duration::from_mins(1));
        world.send(&Ask::get("/v3/auth/domains").signed_by("alice"));
        assert_eq!(used(&mut world), "2026-01-02T03:05:05.000000Z");
    }
}
