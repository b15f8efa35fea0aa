//! One direction of one connection.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Rule, Shared, Source};
use crate::chance::Chance;

/// Bytes taken at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks that may wait; then the sender feels it.
const WAITING: usize = 64;

/// A chunk and when it may go on.
type Due = (Instant, Vec<u8>);

/// Carries bytes until one end closes; then the other learns of it.
pub(super) fn run(shared: &Arc<Shared>, source: Source, from: TcpStream, to: TcpStream) {
    let (sender, receiver) = sync_channel(WAITING);
    let reading = Arc::clone(shared);
    thread::spawn(move || read(&reading, source, from, &sender));
    write(shared, source, to, &receiver);
}

fn read(shared: &Shared, source: Source, mut from: TcpStream, sender: &SyncSender<Due>) {
    let mut chance = Chance::new(from.peer_addr().map_or(0, |address| u64::from(address.port())));
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        let wait = match shared.rule(source) {
            Rule::Delay(least, most) => {
                least + chance.duration(most.saturating_sub(least).max(Duration::from_micros(1)))
            }
            Rule::Cut | Rule::Pass | Rule::Silence => Duration::ZERO,
        };
        let bytes = chunk.get(..length).expect("read returns at most the buffer's length").to_vec();
        if sender.send((Instant::now() + wait, bytes)).is_err() {
            break;
        }
    }
}

fn write(shared: &Shared, source: Source, mut to: TcpStream, receiver: &Receiver<Due>) {
    for (due, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if shared.await_sound(source) == Rule::Cut || to.write_all(&bytes).is_err() {
            break;
        }
    }
    // The end of a connection is as silent as its bytes.
    shared.await_sound(source);
    let _ = to.shutdown(Shutdown::Both);
    shared
        .rules
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .open
        .retain(|(_, one)| one.peer_addr().is_ok());
}
