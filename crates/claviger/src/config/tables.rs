//! The tables of the file, one struct each. Their `Default` is what holds when a key is absent.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use claviger_api::{HttpLimits, Listener};
use claviger_core::audit::SEGMENT_BYTES_DEFAULT;
use claviger_core::tag::TagProfile;
use serde::Deserialize;

use super::RootKeyTable;
use crate::root_key::Source;
use crate::telemetry::{FILTER_DEFAULT, LogFormat};
use crate::tls;

/// What a load balancer that asks every second or two needs to notice.
const NOTICE_SECONDS: u64 = 5;

/// `[[listener]]`
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenerTable {
    pub(super) address: SocketAddr,
    pub(super) tls: Option<TlsTable>,
}

/// `tls` of a listener: PEM files.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsTable {
    certificate: PathBuf,
    key: PathBuf,
}

impl ListenerTable {
    pub(super) fn listener(&self, base: &Path) -> Result<Listener> {
        let tls = self.tls.as_ref().map(|TlsTable { certificate, key }| {
            tls::config(&base.join(certificate), &base.join(key))
                .with_context(|| format!("[[listener]] {}", self.address))
        });
        Ok(Listener { address: self.address, tls: tls.transpose()? })
    }
}

/// `[data]`
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataTable {
    pub(super) folder: PathBuf,
}

/// `[root_key]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RootKeyFields {
    file: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
}

impl TryFrom<RootKeyFields> for RootKeyTable {
    type Error = &'static str;

    fn try_from(fields: RootKeyFields) -> Result<Self, Self::Error> {
        match (fields.file, fields.passphrase_file) {
            (Some(file), None) => Ok(Self(Source::File(file))),
            (None, Some(file)) => Ok(Self(Source::PassphraseFile(file))),
            (None, None) => Err("[root_key] needs `file` or `passphrase_file`"),
            (Some(_), Some(_)) => Err("[root_key] takes `file` or `passphrase_file`, not both"),
        }
    }
}

/// `[quota]`
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct QuotaTable {
    pub(super) keys_per_region: u64,
}

impl Default for QuotaTable {
    fn default() -> Self {
        Self { keys_per_region: claviger_core::Limits::default().keys_per_ring }
    }
}

/// `[audit]`
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AuditTable {
    pub(super) folder: Option<PathBuf>,
    pub(super) segment_bytes: NonZeroU64,
}

impl Default for AuditTable {
    fn default() -> Self {
        let segment_bytes = NonZeroU64::new(SEGMENT_BYTES_DEFAULT).expect("64 MiB are more than nothing");
        Self { folder: None, segment_bytes }
    }
}

/// `[limits]`
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsTable {
    body_bytes: NonZeroUsize,
    all_body_bytes: NonZeroUsize,
    connections: NonZeroUsize,
    connections_per_source: NonZeroUsize,
    in_flight: NonZeroUsize,
    header_seconds: NonZeroU64,
    body_seconds: NonZeroU64,
    notice_seconds: u64,
    drain_seconds: u64,
    pub(super) threads: Option<NonZeroUsize>,
}

impl Default for LimitsTable {
    fn default() -> Self {
        let http = HttpLimits::default();
        let size = |size| NonZeroUsize::new(size).expect("no default limit is 0");
        let seconds = |seconds| NonZeroU64::new(seconds).expect("no default time is 0");
        Self {
            body_bytes: size(http.body_bytes),
            all_body_bytes: size(http.all_body_bytes),
            connections: size(http.connections),
            connections_per_source: size(http.connections_per_source),
            in_flight: size(http.in_flight),
            header_seconds: seconds(http.header_seconds),
            body_seconds: seconds(http.body_seconds),
            notice_seconds: NOTICE_SECONDS,
            drain_seconds: http.drain_seconds,
            threads: None,
        }
    }
}

impl LimitsTable {
    pub(super) const fn http(&self) -> HttpLimits {
        HttpLimits {
            body_bytes: self.body_bytes.get(),
            all_body_bytes: self.all_body_bytes.get(),
            connections: self.connections.get(),
            connections_per_source: self.connections_per_source.get(),
            in_flight: self.in_flight.get(),
            header_seconds: self.header_seconds.get(),
            body_seconds: self.body_seconds.get(),
            notice_seconds: self.notice_seconds,
            drain_seconds: self.drain_seconds,
        }
    }
}

/// `[tags]`
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TagsTable {
    pub(super) profile: Profile,
}

/// What tags may look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Profile {
    #[default]
    Classic,
    Modern,
}

impl From<Profile> for TagProfile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Classic => Self::Classic,
            Profile::Modern => Self::Modern,
        }
    }
}

/// `[log]`
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LogTable {
    pub(super) format: LogFormat,
    pub(super) filter: String,
}

impl Default for LogTable {
    fn default() -> Self {
        Self { format: LogFormat::default(), filter: FILTER_DEFAULT.into() }
    }
}

/// `[tencent]`
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TencentTable {
    pub(super) strict_scope: bool,
}
