//! Where the cluster is and how to speak to it.

use std::fmt;
use std::time::Duration;

/// How a node reaches etcd, and what it calls itself.
#[derive(Clone, Debug)]
pub struct Options {
    /// Client URLs of the members, `http://` or `https://`. All must belong to one etcd cluster.
    pub endpoints: Vec<String>,
    /// What all keys begin with. Several Claviger clusters may share one etcd under different prefixes.
    pub prefix: String,
    /// The cluster's own name, if it has one: a node that expects another name is refused.
    pub cluster: Option<String>,
    /// Certificates, for `https://` endpoints.
    pub tls: Option<Tls>,
    /// Who the node is to etcd's own access control.
    pub login: Option<Login>,
    /// What people call this node; need not be unique.
    pub node: String,
    /// The release this node runs, for `cluster status`.
    pub release: String,
    /// How long a node may serve after it last made sure that it is up to date; the longest that a commit waits for a node
    /// that is gone is this and the drift on top. The same on every node of a cluster.
    pub lease: Duration,
    /// How long etcd may take to answer one request.
    pub deadline: Duration,
}

impl Options {
    /// The prefix unless one is given.
    pub const PREFIX: &str = "claviger/";
    /// The lease unless one is given.
    pub const LEASE: Duration = Duration::from_secs(2);
    /// The shortest lease: a handful of round trips to etcd must fit.
    pub const LEASE_MIN: Duration = Duration::from_millis(500);
    /// The longest lease: a commit may wait for it.
    pub const LEASE_MAX: Duration = Duration::from_secs(30);
    /// The deadline unless one is given; an election of a new leader fits.
    pub const DEADLINE: Duration = Duration::from_secs(5);
    /// The longest prefix, in bytes.
    pub const PREFIX_BYTES_MAX: usize = 128;

    /// For these endpoints, all else as it is by default.
    pub fn new(endpoints: Vec<String>, node: String, release: String) -> Self {
        Self {
            endpoints,
            prefix: Self::PREFIX.to_owned(),
            cluster: None,
            tls: None,
            login: None,
            node,
            release,
            lease: Self::LEASE,
            deadline: Self::DEADLINE,
        }
    }
}

/// PEM texts for TLS.
#[derive(Clone)]
pub struct Tls {
    /// The authorities that sign the members' certificates.
    pub ca: String,
    /// This node's certificate and its private key, where etcd asks for one.
    pub client: Option<(String, String)>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").field("client", &self.client.is_some()).finish_non_exhaustive()
    }
}

/// A user of etcd.
#[derive(Clone)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password; sent to etcd, never logged.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}
