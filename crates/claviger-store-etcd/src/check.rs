//! Before anything is written: is this etcd one that can be used, and is what lies under the prefix ours?

use claviger_store::StoreError;
use tokio::time::timeout;
use tonic::Status;

use crate::ask;
use crate::client::{Client, Failed};
use crate::error::{OpenError, unavailable};
use crate::layout::Layout;
use crate::options::Options;
use crate::proto::etcdserverpb::{RangeRequest, StatusRequest, StatusResponse, TxnRequest};
use crate::records::{Cluster, FORMAT, encode};
use crate::shared::Shared;

/// The oldest release with all that is needed.
const OLDEST: (u32, u32) = (3, 4);
/// How long a member may take to say who it is.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// What the options themselves must be.
pub(crate) fn options(options: &Options) -> Result<(), OpenError> {
    let refuse = |why: String| Err(OpenError::Options(why));
    let prefix = &options.prefix;
    if prefix.is_empty() || prefix.len() > Options::PREFIX_BYTES_MAX || !prefix.ends_with('/') {
        return refuse(format!(
            "[store] prefix {prefix:?} must end with a slash and have at most {} bytes",
            Options::PREFIX_BYTES_MAX
        ));
    }
    if options.lease < Options::LEASE_MIN || options.lease > Options::LEASE_MAX {
        return refuse(format!(
            "[store] lease_seconds must be from {} to {}",
            Options::LEASE_MIN.as_secs_f64(),
            Options::LEASE_MAX.as_secs_f64()
        ));
    }
    if options.deadline < options.lease / 2 {
        return refuse("[store] deadline_seconds must be at least half of lease_seconds".into());
    }
    Ok(())
}

/// Asks every member who it is: all must be of one cluster and of a release that can be used. Those that do not answer are
/// left to be tried later, unless none does.
pub(crate) async fn members(client: &Client) -> Result<(), OpenError> {
    let mut first: Option<(usize, u64)> = None;
    let mut silent = Vec::new();
    for member in 0..client.members() {
        let status = match status(client, member).await {
            Ok(status) => status,
            Err(status) => {
                silent.push(format!("{}: {}", client.url(member), explain(&status)));
                continue;
            }
        };
        let endpoint = client.url(member).to_owned();
        supported(&endpoint, &status.version)?;
        let cluster = status.header.map_or(0, |header| header.cluster_id);
        match first {
            None => first = Some((member, cluster)),
            Some((one, one_cluster)) if one_cluster != cluster => {
                return Err(OpenError::Mixed {
                    one: client.url(one).to_owned(),
                    one_cluster,
                    other: endpoint,
                    other_cluster: cluster,
                });
            }
            Some(_) => {}
        }
    }
    let Some((_, cluster)) = first else { return Err(OpenError::Unreachable(silent.join("; "))) };
    for why in silent {
        tracing::warn!("an etcd endpoint does not answer; going on without it: {why}");
    }
    client.pin(cluster);
    Ok(())
}

/// What one member says of itself.
pub(crate) async fn status(client: &Client, member: usize) -> Result<StatusResponse, Status> {
    let asked = timeout(PATIENCE, async {
        client.maintenance(member).status(client.request(StatusRequest {})).await
    });
    let answer = asked.await.map_err(|_| Status::deadline_exceeded("no answer in time"))?;
    Ok(answer?.into_inner())
}

/// Reads the cluster's record, if there is one, and refuses what does not fit. Writes nothing.
pub(crate) async fn prefix(shared: &Shared) -> Result<Option<Cluster>, OpenError> {
    let first = RangeRequest { limit: 1, keys_only: true, ..ask::all(shared.layout.all()) };
    let txn = ask::reads([ask::one(shared.layout.cluster()), first]);
    let answer = shared.client.read(txn, shared.options.deadline).await?;
    let mut responses = answer.responses.into_iter();
    let (record, any) = (ask::found(responses.next()), ask::found(responses.next()));
    match (record.kvs.first(), any.kvs.first()) {
        (Some(record), _) => {
            let cluster = parse(&shared.layout, &record.value)?;
            fits(&cluster, &shared.options)?;
            Ok(Some(cluster))
        }
        (None, Some(found)) => Err(OpenError::Foreign {
            prefix: shared.options.prefix.clone(),
            found: String::from_utf8_lossy(&found.key).into_owned(),
        }),
        (None, None) => Ok(None),
    }
}

/// Sees to it that the cluster's record is there, before the first write. Of two nodes that begin at once one is too late, and
/// goes by the other's.
pub(crate) async fn found(shared: &Shared) -> Result<(), StoreError> {
    let refused = |error: OpenError| StoreError::Unavailable(error.to_string());
    if prefix(shared).await.map_err(refused)?.is_some() {
        return Ok(());
    }
    let cluster =
        Cluster { v: FORMAT, name: shared.options.cluster.clone(), lease_ms: millis(&shared.options) };
    let key = shared.layout.cluster();
    let txn = TxnRequest {
        compare: vec![ask::absent(key.clone())],
        success: vec![ask::put(key, encode(&cluster), 0)],
        failure: Vec::new(),
    };
    match shared.client.write(txn).await {
        Ok(answer) if answer.succeeded => Ok(()),
        // Somebody else's, or our own whose answer was lost: it is there now, and must fit.
        Ok(_) | Err(Failed::Unknown(_)) => match prefix(shared).await.map_err(refused)? {
            Some(_) => Ok(()),
            None => Err(StoreError::Unavailable("the cluster's record could not be written".into())),
        },
        Err(Failed::Refused(error)) => Err(error),
    }
}

pub(crate) fn parse(layout: &Layout, value: &[u8]) -> Result<Cluster, OpenError> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        v: u64,
    }
    let damaged = |error: serde_json::Error| OpenError::Damaged {
        key: String::from_utf8_lossy(&layout.cluster()).into_owned(),
        why: error.to_string(),
    };
    // The format first: a later one may have other members.
    let Versioned { v: found } = serde_json::from_slice(value).map_err(damaged)?;
    if found > FORMAT {
        return Err(OpenError::NewerFormat { found, known: FORMAT });
    }
    serde_json::from_slice(value).map_err(damaged)
}

fn fits(cluster: &Cluster, options: &Options) -> Result<(), OpenError> {
    if let Some(given) = &options.cluster
        && cluster.name.as_ref() != Some(given)
    {
        let found = cluster.name.clone().unwrap_or_default();
        return Err(OpenError::OtherCluster { given: given.clone(), found });
    }
    if cluster.lease_ms != millis(options) {
        return Err(OpenError::OtherLease { given: millis(options), found: cluster.lease_ms });
    }
    Ok(())
}

fn supported(endpoint: &str, version: &str) -> Result<(), OpenError> {
    let (endpoint, version) = (endpoint.to_owned(), version.to_owned());
    let mut numbers = version.split(['.', '-', '+']).map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor, patch) =
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    match (major, minor, patch) {
        (3, 5, 0..=2) => Err(OpenError::Broken { endpoint, version }),
        _ if (major, minor) < OLDEST => Err(OpenError::TooOld { endpoint, version }),
        _ => Ok(()),
    }
}

/// A refusal in words.
pub(crate) fn explain(status: &Status) -> String {
    match unavailable(status) {
        StoreError::Unavailable(why) => why,
        error => error.to_string(),
    }
}

fn millis(options: &Options) -> u64 {
    u64::try_from(options.lease.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_that_can_be_used() {
        for (version, fine) in [
            ("3.4.0", true),
            ("3.4.23", true),
            ("3.5.3", true),
            ("3.6.0-rc.1", true),
            ("4.0.0", true),
            ("3.3.27", false),
            ("2.3.8", false),
            ("3.5.0", false),
            ("3.5.2", false),
            ("", false),
        ] {
            assert_eq!(supported("e", version).is_ok(), fine, "{version}");
        }
    }

    #[test]
    fn options_that_are_refused() {
        let good = || Options::new(vec!["http://127.0.0.1:2379".into()], "n".into(), "1".into());
        options(&good()).expect("the defaults are fine");
        let bad: [fn(&mut Options); 5] = [
            |options| options.prefix = String::new(),
            |options| options.prefix = "claviger".into(),
            |options| options.lease = Options::LEASE_MIN / 2,
            |options| options.lease = Options::LEASE_MAX * 2,
            |options| options.deadline = Options::LEASE / 4,
        ];
        for spoil in bad {
            let mut spoilt = good();
            spoil(&mut spoilt);
            options(&spoilt).expect_err(&format!("{spoilt:?}"));
        }
    }
}
