//! `[store]`: where the records are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_store_etcd::{Login, Options, Tls};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;

use crate::files;
use crate::store::{Place, Transport, check_endpoints, check_prefix};

/// The longest name of a node or a cluster, in bytes.
const NAME_BYTES: usize = 128;
/// How long etcd may be given for one answer, in seconds.
const DEADLINE_SECONDS: (f64, f64) = (0.5, 60.0);
/// Most bytes of a password or a PEM file.
const FILE_BYTES: u64 = 1 << 20;

/// `[store]`
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "StoreFields")]
pub(super) enum StoreTable {
    #[default]
    Embedded,
    Etcd(Box<EtcdTable>),
}

/// An etcd cluster.
#[derive(Debug, PartialEq)]
pub(super) struct EtcdTable {
    endpoints: Vec<String>,
    prefix: String,
    cluster: Option<String>,
    node: Option<String>,
    lease: Duration,
    deadline: Duration,
    login: Option<(String, PathBuf)>,
    tls: Option<TlsFiles>,
}

#[derive(Debug, PartialEq)]
struct TlsFiles {
    ca: PathBuf,
    client: Option<(PathBuf, PathBuf)>,
}

/// `[store]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreFields {
    #[serde(default)]
    engine: EngineName,
    endpoints: Option<Vec<String>>,
    prefix: Option<String>,
    cluster: Option<String>,
    node: Option<String>,
    lease_seconds: Option<f64>,
    deadline_seconds: Option<f64>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EngineName {
    #[default]
    Embedded,
    Etcd,
}

impl TryFrom<StoreFields> for StoreTable {
    type Error = String;

    fn try_from(fields: StoreFields) -> Result<Self, String> {
        match fields.engine {
            EngineName::Embedded => fields.embedded(),
            EngineName::Etcd => fields.etcd().map(|table| Self::Etcd(Box::new(table))),
        }
        .map_err(|what| format!("[store] {what}"))
    }
}

impl StoreFields {
    fn embedded(self) -> Result<StoreTable, String> {
        let for_etcd = [
            ("endpoints", self.endpoints.is_some()),
            ("prefix", self.prefix.is_some()),
            ("cluster", self.cluster.is_some()),
            ("node", self.node.is_some()),
            ("lease_seconds", self.lease_seconds.is_some()),
            ("deadline_seconds", self.deadline_seconds.is_some()),
            ("user", self.user.is_some()),
            ("password_file", self.password_file.is_some()),
            ("ca_file", self.ca_file.is_some()),
            ("certificate_file", self.certificate_file.is_some()),
            ("key_file", self.key_file.is_some()),
        ];
        match for_etcd.iter().find(|(_, there)| *there) {
            Some((key, _)) => {
                Err(format!("`{key}` is for etcd; write engine = \"etcd\" too, or leave it out"))
            }
            None => Ok(StoreTable::Embedded),
        }
    }

    fn etcd(self) -> Result<EtcdTable, String> {
        let endpoints = self
            .endpoints
            .ok_or("engine = \"etcd\" needs `endpoints`, such as endpoints = [\"https://10.0.0.1:2379\"]")?;
        let transport = check_endpoints(&endpoints)?;
        let prefix = self.prefix.unwrap_or_else(|| Options::PREFIX.to_owned());
        check_prefix(&prefix)?;
        let named = |key: &str, name: Option<String>| match name {
            Some(name) if !is_name(&name) => {
                Err(format!("`{key}` must be 1 to {NAME_BYTES} letters, digits or signs"))
            }
            name => Ok(name),
        };
        let lease = (Options::LEASE_MIN.as_secs_f64(), Options::LEASE_MAX.as_secs_f64());
        let lease = seconds("lease_seconds", self.lease_seconds, lease, Options::LEASE)?;
        let deadline =
            seconds("deadline_seconds", self.deadline_seconds, DEADLINE_SECONDS, Options::DEADLINE)?;
        if deadline < lease / 2 {
            return Err("`deadline_seconds` must be at least half of `lease_seconds`".into());
        }
        Ok(EtcdTable {
            cluster: named("cluster", self.cluster)?,
            node: named("node", self.node)?,
            lease,
            deadline,
            login: login(transport, self.user, self.password_file)?,
            tls: tls(transport, self.ca_file, self.certificate_file, self.key_file)?,
            endpoints,
            prefix,
        })
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control)
}

fn seconds(
    key: &str,
    given: Option<f64>,
    (least, most): (f64, f64),
    default: Duration,
) -> Result<Duration, String> {
    let Some(given) = given else { return Ok(default) };
    if !(least..=most).contains(&given) {
        return Err(format!("`{key}` must be from {least} to {most}"));
    }
    Duration::try_from_secs_f64(given).map_err(|_| format!("`{key}` must be from {least} to {most}"))
}

fn login(
    transport: Transport,
    user: Option<String>,
    file: Option<PathBuf>,
) -> Result<Option<(String, PathBuf)>, String> {
    match (user, file) {
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err("`user` needs `password_file`, a file with the user's password in etcd".into())
        }
        (None, Some(_)) => Err("`password_file` needs `user`, whose password it holds".into()),
        (Some(user), Some(_)) if !is_name(&user) => {
            Err(format!("`user` must be 1 to {NAME_BYTES} letters, digits or signs"))
        }
        (Some(_), Some(_)) if transport == Transport::Plain => {
            Err("`user` over http:// would send the password for all to read; use https:// endpoints".into())
        }
        (Some(user), Some(file)) => Ok(Some((user, file))),
    }
}

fn tls(
    transport: Transport,
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<TlsFiles>, String> {
    if transport != Transport::Tls {
        return match (ca, certificate, key) {
            (None, None, None) => Ok(None),
            _ => Err("certificates are for https:// endpoints, and these begin with http://".into()),
        };
    }
    let ca = ca.ok_or("https:// endpoints need `ca_file`: the authority that signed etcd's certificates")?;
    let client = match (certificate, key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (Some(_), None) => return Err("`certificate_file` needs `key_file`, its private key".into()),
        (None, Some(_)) => {
            return Err("`key_file` needs `certificate_file`, the certificate it belongs to".into());
        }
    };
    Ok(Some(TlsFiles { ca, client }))
}

impl StoreTable {
    /// The place, with all that is in files. Relative paths are relative to `base`.
    pub(super) fn place(&self, base: &Path) -> Result<Place> {
        match self {
            Self::Embedded => Ok(Place::Embedded),
            Self::Etcd(table) => table.options(base).map(Place::etcd).context("[store]"),
        }
    }
}

impl EtcdTable {
    fn options(&self, base: &Path) -> Result<Options> {
        let login = self.login.as_ref().map(|(user, file)| {
            let file = base.join(file);
            let text = files::read_secret(&file, FILE_BYTES)?;
            // Revealed to be sent to etcd.
            let password =
                std::str::from_utf8(text.reveal()).ok().map(|text| text.trim_end_matches(['\r', '\n']));
            let password = password.filter(|password| !password.is_empty());
            let password = password.with_context(|| format!("{} must hold a password", file.display()))?;
            anyhow::Ok(Login { user: user.clone(), password: password.to_owned() })
        });
        Ok(Options {
            endpoints: self.endpoints.clone(),
            prefix: self.prefix.clone(),
            cluster: self.cluster.clone(),
            tls: self.tls.as_ref().map(|files| files.read(base)).transpose()?,
            login: login.transpose()?,
            node: self.node.clone().unwrap_or_default(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            lease: self.lease,
            deadline: self.deadline,
        })
    }
}

impl TlsFiles {
    fn read(&self, base: &Path) -> Result<Tls> {
        let client = self.client.as_ref().map(|(certificate, key)| {
            let (certificate, key) = (base.join(certificate), base.join(key));
            let secret = files::read_secret(&key, FILE_BYTES)?;
            // Revealed to be given to TLS.
            PrivateKeyDer::from_pem_slice(secret.reveal())
                .with_context(|| format!("there is no private key in {}", key.display()))?;
            let secret = std::str::from_utf8(secret.reveal())
                .with_context(|| format!("{} is not a text", key.display()))?;
            anyhow::Ok((certificates(&certificate)?, secret.to_owned()))
        });
        Ok(Tls { ca: certificates(&base.join(&self.ca))?, client: client.transpose()? })
    }
}

/// The text of a PEM file that has at least one certificate.
fn certificates(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let found = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    let found = found.with_context(|| format!("cannot read certificates from {}", path.display()))?;
    ensure!(!found.is_empty(), "there is no certificate in {}", path.display());
    Ok(text)
}
