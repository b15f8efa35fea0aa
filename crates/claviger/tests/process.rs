//! The binary as a process: started, asked, refused, stopped, copied.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long a start or a stop may take, on a machine that has more to do.
const PATIENCE: Duration = Duration::from_secs(30);

fn claviger(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    claviger(arguments).output().expect("it starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running server.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn dev(data: &Path, more: &[&str]) -> Self {
        let credentials = data.join("credentials.json");
        let before = endpoint(&credentials);
        let mut arguments = vec!["dev", "--listen", "127.0.0.1:0", "--data", text(data)];
        arguments.extend(more);
        let spawned = claviger(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut server = Self { child: spawned.expect("it starts"), address: String::new() };
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let now = endpoint(&credentials);
            if let Some(address) = now.filter(|now| Some(now) != before.as_ref()) {
                server.address = address;
                assert_eq!(server.ask("/readyz").0, 200);
                return server;
            }
            sleep(Duration::from_millis(5));
        }
        panic!("not ready in time");
    }

    fn ask(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
        (status, answer)
    }

    /// SIGTERM; what it had printed.
    fn stop(mut self) -> String {
        let signal = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(signal.expect("kill is there").success());
        let mut printed = String::new();
        self.child.stdout.take().expect("piped").read_to_string(&mut printed).expect("text");
        assert!(self.child.wait().expect("it ends").success());
        printed
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn endpoint(credentials: &Path) -> Option<String> {
    let json: Value = serde_json::from_str(&fs::read_to_string(credentials).ok()?).ok()?;
    Some(json.get("endpoint")?.as_str()?.strip_prefix("http://")?.to_owned())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("our folders have plain names")
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    (folder, data)
}

#[test]
fn secrets_are_printed_once_and_kept_for_the_owner() {
    let (_folder, data) = folder();
    let first = Server::dev(&data, &[]).stop();
    let file = fs::read_to_string(data.join("credentials.json")).expect("written");
    let json: Value = serde_json::from_str(&file).expect("JSON");
    let secrets = ["secret_key", "secret_access_key", "password"];
    let secrets = secrets.map(|name| json.get(name).and_then(Value::as_str).expect("a text").to_owned());
    let second = Server::dev(&data, &[]).stop();
    for secret in &secrets {
        assert!(first.contains(secret.as_str()), "shown at the first start");
        assert!(!second.contains(secret.as_str()), "not shown again");
    }
    assert!(second.contains("credentials.json") && second.contains("KmsClient"), "{second}");
    for name in ["credentials.json", "root.key", "claviger.redb"] {
        let mode = fs::metadata(data.join(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(!data.join("first-start.json").exists());
    let again: Value =
        serde_json::from_str(&fs::read_to_string(data.join("credentials.json")).expect("there"))
            .expect("JSON");
    assert_eq!((json.get("uin"), json.get("secret_key")), (again.get("uin"), again.get("secret_key")));
}

#[test]
fn health_and_metrics_are_beside_the_dialects() {
    let (_folder, data) = folder();
    let server = Server::dev(&data, &["--no-limits"]);
    assert_eq!(server.ask("/healthz").0, 200);
    let (status, metrics) = server.ask("/metrics");
    assert_eq!(status, 200);
    for name in ["claviger_store_commits_total", "claviger_cache_hits_total", "claviger_connections_open"] {
        assert!(metrics.contains(name), "{metrics}");
    }
    server.stop();
}

#[test]
fn rivals_are_refused_and_the_first_goes_on() {
    let (folder, data) = folder();
    let server = Server::dev(&data, &[]);
    let rival = run(&["dev", "--listen", "127.0.0.1:0", "--data", text(&data)]);
    assert_eq!(rival.status.code(), Some(1));
    let message = said(&rival);
    assert!(message.contains("error: ") && message.contains("in use by another claviger"), "{message}");
    assert!(!message.contains("panicked") && message.lines().count() == 1, "{message}");
    let dump = run(&["dump", "--data", text(&data), "--out", text(&folder.path().join("dump"))]);
    assert_eq!(dump.status.code(), Some(1));
    let other = folder.path().join("other");
    let port = run(&["dev", "--listen", &server.address, "--data", text(&other)]);
    assert_eq!(port.status.code(), Some(1));
    assert!(said(&port).contains(&server.address), "{}", said(&port));
    assert_eq!(server.ask("/healthz").0, 200);
    server.stop();
}

#[test]
fn without_its_root_key_a_store_stays_shut() {
    let (_folder, data) = folder();
    Server::dev(&data, &[]).stop();
    let root = data.join("root.key");
    let kept = fs::read(&root).expect("there");
    fs::remove_file(&root).expect("ours");
    let refused = run(&["dev", "--listen", "127.0.0.1:0", "--data", text(&data)]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("root.key is missing"), "{}", said(&refused));
    assert!(!root.exists(), "no new one is made");
    let (_elsewhere, other) = folder();
    Server::dev(&other, &[]).stop();
    fs::copy(other.join("root.key"), &root).expect("copied");
    let refused = run(&["dev", "--listen", "127.0.0.1:0", "--data", text(&data)]);
    assert!(said(&refused).contains("belongs to root key"), "{}", said(&refused));
    fs::write(&root, kept).expect("ours");
    Server::dev(&data, &[]).stop();
}

#[test]
fn a_first_start_that_was_cut_short_is_finished() {
    let (_folder, data) = folder();
    Server::dev(&data, &[]).stop();
    // As if it had died between the account and the file: the beginning is still there, the result is not.
    fs::rename(data.join("credentials.json"), data.join("first-start.json")).expect("ours");
    Server::dev(&data, &[]).stop();
    assert!(data.join("credentials.json").exists() && !data.join("first-start.json").exists());
}

#[test]
fn a_store_moves_through_a_dump() {
    let (folder, data) = folder();
    Server::dev(&data, &[]).stop();
    let dump = folder.path().join("store.dump");
    let copy = folder.path().join("copy");
    let done = run(&["dump", "--data", text(&data), "--out", text(&dump)]);
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(fs::metadata(&dump).expect("there").permissions().mode() & 0o777, 0o600);
    let again = run(&["dump", "--data", text(&data), "--out", text(&dump)]);
    assert_eq!(again.status.code(), Some(1), "an older dump is left as it is");
    let done = run(&["restore", "--in", text(&dump), "--data", text(&copy)]);
    assert!(done.status.success() && said(&done).contains("needs root key"), "{}", said(&done));
    let over = run(&["restore", "--in", text(&dump), "--data", text(&copy)]);
    assert_eq!(over.status.code(), Some(1), "not over a store");
    for name in ["root.key", "credentials.json"] {
        fs::copy(data.join(name), copy.join(name)).expect("copied");
    }
    Server::dev(&copy, &[]).stop();
    let (first, second) = (
        run(&["dump", "--data", text(&data), "--out", "-"]),
        run(&["dump", "--data", text(&copy), "--out", "-"]),
    );
    let records = |output: &Output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().filter(|line| line.starts_with("{\"k\"")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(!records(&first).is_empty());
    assert_eq!(records(&first), records(&second));
    let nothing = run(&["dump", "--data", text(&folder.path().join("none")), "--out", "-"]);
    assert_eq!(nothing.status.code(), Some(1));
}

#[test]
fn serve_wants_an_account_and_says_how() {
    let (folder, data) = folder();
    let config = folder.path().join("claviger.toml");
    let example = run(&["config", "example"]);
    let text_of = String::from_utf8(example.stdout).expect("text");
    let ours = text_of.replace("claviger-data", text(&data)).replace("127.0.0.1:7600", "127.0.0.1:0");
    fs::write(&config, ours).expect("written");
    assert!(run(&["config", "check", text(&config)]).status.success());
    let refused = run(&["serve", "--config", text(&config)]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("--seed"), "{}", said(&refused));
    let seed = folder.path().join("seed.toml");
    fs::write(&seed, "[[acount]]\nuin = 1\n").expect("written");
    let refused = run(&["serve", "--config", text(&config), "--seed", text(&seed)]);
    assert!(
        said(&refused).contains("seed.toml:1: unknown key `acount`; did you mean `account`?"),
        "{}",
        said(&refused)
    );
}
