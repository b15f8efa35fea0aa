//! TLS with certificates on both sides, and etcd's own users. Starts etcd by itself: the binary that `CLAVIGER_ETCD` names, or
//! `etcd`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use claviger_store::Engine as _;
use claviger_store_etcd::{EtcdEngine, Login, Options, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::{open, put};

/// An etcd of one member; killed when dropped.
struct Own {
    child: Child,
    client: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Own {
    fn start(scheme: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (client, peer) = (free(), free());
        let binary = std::env::var_os("CLAVIGER_ETCD").unwrap_or_else(|| "etcd".into());
        let url = format!("{scheme}://{client}");
        let child = Command::new(binary)
            .args(["--listen-client-urls", &url, "--advertise-client-urls", &url])
            .args(["--listen-peer-urls", &format!("http://{peer}")])
            .arg("--data-dir")
            .arg(folder.path())
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("etcd starts; CLAVIGER_ETCD names its binary");
        let ends = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(client).is_err() {
            assert!(Instant::now() < ends, "etcd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, client, _folder: folder }
    }

    fn options(&self, scheme: &str) -> Options {
        Options::new(vec![format!("{scheme}://{}", self.client)], "test".into(), "0".into())
    }

    /// One call of etcd's HTTP gateway, which must succeed.
    fn call(&self, path: &str, body: &str) {
        let mut stream = TcpStream::connect(self.client).expect("etcd listens");
        let (host, length) = (self.client, body.len());
        write!(
            stream,
            "POST /v3/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("received");
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// An authority, and a certificate for loopback signed by it.
struct Papers {
    ca: String,
    certificate: String,
    key: String,
}

fn papers() -> Papers {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer =
        CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("signed");
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["127.0.0.1".into(), "localhost".into()]).expect("parameters");
    let leaf = leaf.signed_by(&key, &issuer).expect("signed");
    Papers { ca: issuer.pem(), certificate: leaf.pem(), key: key.serialize_pem() }
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path.to_string_lossy().into_owned()
}

#[tokio::test]
async fn certificates_on_both_sides() {
    let (ours, others) = (papers(), papers());
    let folder = tempfile::tempdir().expect("a folder");
    let ca = write(folder.path(), "ca", &ours.ca);
    let certificate = write(folder.path(), "certificate", &ours.certificate);
    let key = write(folder.path(), "key", &ours.key);
    let more =
        ["--cert-file", &certificate, "--key-file", &key, "--trusted-ca-file", &ca, "--client-cert-auth"];
    let etcd = Own::start("https", &more);
    let with = |ca: &Papers, client: Option<&Papers>| Options {
        tls: Some(Tls {
            ca: ca.ca.clone(),
            client: client.map(|papers| (papers.certificate.clone(), papers.key.clone())),
        }),
        ..etcd.options("https")
    };
    let engine = open(with(&ours, Some(&ours))).await;
    engine.join().await.expect("it joins");
    engine.commit(put("a", "1")).await.expect("committed");
    for (what, options) in [
        ("another authority", with(&others, Some(&ours))),
        ("no certificate of the node's own", with(&ours, None)),
        ("a certificate of another authority", with(&ours, Some(&others))),
        ("no TLS", etcd.options("http")),
    ] {
        let error = EtcdEngine::open(options).await.map(drop).expect_err(what).to_string();
        assert!(error.contains("no etcd endpoint answers"), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_user_of_etcds() {
    let etcd = Own::start("http", &[]);
    // "claviger/" and "claviger0", as the gateway wants bytes.
    let (from, to) = ("Y2xhdmlnZXIv", "Y2xhdmlnZXIw");
    etcd.call("auth/user/add", r#"{"name":"root","password":"of root"}"#);
    etcd.call("auth/role/add", r#"{"name":"root"}"#);
    etcd.call("auth/user/grant", r#"{"user":"root","role":"root"}"#);
    etcd.call("auth/user/add", r#"{"name":"claviger","password":"of claviger"}"#);
    etcd.call("auth/role/add", r#"{"name":"claviger"}"#);
    let perm = format!(
        r#"{{"name":"claviger","perm":{{"permType":"READWRITE","key":"{from}","range_end":"{to}"}}}}"#
    );
    etcd.call("auth/role/grant", &perm);
    etcd.call("auth/user/grant", r#"{"user":"claviger","role":"claviger"}"#);
    etcd.call("auth/enable", "{}");

    let login = |user: &str, password: &str| Options {
        login: Some(Login { user: user.into(), password: password.into() }),
        ..etcd.options("http")
    };
    let engine = open(login("claviger", "of claviger")).await;
    engine.join().await.expect("it joins");
    engine.commit(put("a", "1")).await.expect("committed");
    assert!(engine.get(b"a").await.expect("read").stored.is_some());
    for (options, says) in [
        (etcd.options("http"), "asks for a user"),
        (login("claviger", "of somebody"), "refuses user claviger"),
        (Options { prefix: "elsewhere/".into(), ..login("claviger", "of claviger") }, "does not permit"),
    ] {
        let error = EtcdEngine::open(options).await.map(drop).expect_err(says).to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
}
