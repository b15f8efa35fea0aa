//! A server that is told to stop: what those see who are connected, and those who come.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take, on a machine that has more to do.
const PATIENCE: Duration = Duration::from_secs(30);

const SEED: &str = "[[account]]\nuin = 100000000001\napp_id = 1250000001\n\
     domain_id = \"0af7651916cd43dd8448eb211c80319c\"\ndomain_name = \"acme\"\n\
     project_id = \"b7ad6b7169203331b7ad6b7169203331\"\n";

struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts `claviger serve` with a time of notice.
    fn start(folder: &Path, notice_seconds: u64) -> Self {
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let config = format!(
            "[[listener]]\naddress = \"{address}\"\n[data]\nfolder = \"data\"\n[root_key]\nfile = \"data/root.key\"\n\
             [limits]\nthreads = 2\nnotice_seconds = {notice_seconds}\n"
        );
        let (file, seed) = (folder.join("claviger.toml"), folder.join("seed.toml"));
        fs::write(&file, config).expect("written");
        fs::write(&seed, SEED).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.arg("serve").arg("--config").arg(&file).arg("--seed").arg(&seed);
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let server = Self { child, address: address.to_string() };
        server.until("it is ready", || server.get("/readyz").is_some_and(|answer| answer.contains(" 200 ")));
        server
    }

    fn connect(&self) -> Option<TcpStream> {
        let stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Some(stream)
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = self.connect()?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < PATIENCE, "{}: not in time: {what}", self.address);
            sleep(Duration::from_millis(5));
        }
    }

    fn terminate(&self) {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(killed.expect("kill is there").success());
    }

    fn ends_well(&mut self) -> Duration {
        let started = Instant::now();
        assert!(self.child.wait().expect("it ends").success());
        started.elapsed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One answer on a connection that may stay open: its head and its body of known length.
fn answer(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("an answer");
        read.extend(byte);
    }
    let head = String::from_utf8(read).expect("a head").to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).expect("a length")];
    stream.read_exact(&mut body).expect("a body");
    head + &String::from_utf8(body).expect("a body")
}

fn closed(stream: &mut TcpStream) -> bool {
    stream.read(&mut [0]).is_ok_and(|bytes| bytes == 0)
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
/// A request to a dialect, which refuses it: nobody signed it.
const REQUEST: &str = "POST / HTTP/1.1\r\nhost: x\r\nx-tc-action: ListKeys\r\nx-tc-version: 2019-01-18\r\n\
     content-type: application/json\r\ncontent-length: 2\r\n\r\n";

#[test]
fn it_serves_while_it_gives_notice_and_ends_what_it_has_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(folder.path(), 2);
    let connect = || server.connect().expect("it listens");
    let (mut used, mut silent, mut half, mut resting) = (connect(), connect(), connect(), connect());
    for stream in [&mut used, &mut resting] {
        stream.write_all(HEALTH).expect("it reads");
        assert!(!answer(stream).contains("connection: close"), "it stays");
    }
    half.write_all(REQUEST.as_bytes()).expect("it reads");
    half.write_all(b"{").expect("it reads");

    server.terminate();
    server.until("it is not ready", || {
        server.get("/readyz").is_some_and(|said| said.contains(" 503 ") && said.contains("leaving"))
    });
    used.write_all(HEALTH).expect("it reads");
    assert!(answer(&mut used).contains("connection: close") && closed(&mut used));
    let mut new = connect();
    new.write_all(REQUEST.as_bytes()).and_then(|()| new.write_all(b"{}")).expect("it reads");
    let said = answer(&mut new);
    assert!(said.contains("connection: close") && said.contains("AuthFailure"), "{said}");

    // The notice ends: what rests is closed, what has begun is ended.
    assert!(closed(&mut resting) && closed(&mut silent));
    server.until("there are no new connections", || server.connect().is_none());
    half.write_all(b"}").expect("it reads");
    assert!(answer(&mut half).contains("AuthFailure") && closed(&mut half));
    server.ends_well();
}

#[test]
fn a_second_signal_ends_the_notice() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(folder.path(), 3600);
    server.terminate();
    server.until("it is not ready", || server.get("/readyz").is_some_and(|said| said.contains(" 503 ")));
    server.terminate();
    assert!(server.ends_well() < PATIENCE);
}
