//! The only source of chance.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroize;

use crate::hash::sha256;

/// Bytes drawn from the system at a time, per thread.
const BUFFER_LEN: usize = 4096;

/// Larger requests go straight to the system: they would gain nothing from the buffer.
const BUFFERED_MAX: usize = 512;

thread_local! {
    static BUFFER: RefCell<Buffer> = const { RefCell::new(Buffer { bytes: [0; BUFFER_LEN], used: BUFFER_LEN }) };
}

/// A source of random bytes. Clones share one source.
#[derive(Clone)]
pub struct Entropy(Source);

#[derive(Clone)]
enum Source {
    Seeded(Arc<Mutex<Stream>>),
    System,
}

impl Entropy {
    /// The generator of AWS-LC, seeded by the operating system, through a small buffer per thread. Bytes are wiped
    /// from the buffer as they are handed out, so that nothing in memory repeats a key or a nonce.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A reproducible stream that depends on `seed` only. For tests and simulation: it is not secret.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(Stream { seed, next: 0, block: [0; 32], used: 32 }))))
    }

    /// Fills `out` with random bytes.
    pub fn fill(&self, out: &mut [u8]) {
        match &self.0 {
            Source::Seeded(stream) => stream.lock().unwrap_or_else(PoisonError::into_inner).fill(out),
            Source::System if out.len() > BUFFERED_MAX => fill_from_system(out),
            Source::System => {
                let buffered = BUFFER.try_with(|buffer| buffer.borrow_mut().fill(out));
                // The buffer is gone only while its thread is ending.
                if buffered.is_err() {
                    fill_from_system(out);
                }
            }
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// `len` characters, each drawn from the ASCII characters of `alphabet` with equal chance.
    pub fn text(&self, alphabet: &[u8], len: usize) -> String {
        let mut text = String::with_capacity(len);
        for _ in 0..len {
            let index = usize::try_from(self.below(alphabet.len() as u64)).unwrap_or(0);
            text.extend(alphabet.get(index).copied().map(char::from));
        }
        text
    }

    /// The bytes of a version 4 UUID ([RFC 9562 §5.4](https://www.rfc-editor.org/rfc/rfc9562#section-5.4)).
    pub fn uuid(&self) -> [u8; 16] {
        let mut uuid: [u8; 16] = self.bytes();
        uuid[6] = (uuid[6] & 0x0f) | 0x40;
        uuid[8] = (uuid[8] & 0x3f) | 0x80;
        uuid
    }

    /// A number below `n`, each with equal chance; 0 if `n` is 0.
    pub fn below(&self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        // Drop the incomplete last run of `n` values: keeping it would favour the small ones.
        let last_fair = u64::MAX - (u64::MAX % n + 1) % n;
        loop {
            let value = u64::from_le_bytes(self.bytes());
            if value <= last_fair {
                return value % n;
            }
        }
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Seeded(_) => "Entropy(seeded)",
            Source::System => "Entropy(system)",
        })
    }
}

fn fill_from_system(out: &mut [u8]) {
    aws_lc_rs::rand::fill(out).expect("AWS-LC ends the process itself when the system has no entropy");
}

/// Random bytes not handed out yet: those from `used` on. The ones before it are zero.
struct Buffer {
    bytes: [u8; BUFFER_LEN],
    used: usize,
}

impl Buffer {
    /// Fills `out`, which is at most [`BUFFERED_MAX`] long.
    fn fill(&mut self, out: &mut [u8]) {
        if BUFFER_LEN - self.used < out.len() {
            fill_from_system(&mut self.bytes);
            self.used = 0;
        }
        let end = self.used + out.len();
        let taken = &mut self.bytes[self.used..end];
        out.copy_from_slice(taken);
        taken.zeroize();
        self.used = end;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// SHA-256 over (seed, counter), handed out byte by byte, so that the stream does not depend on the request sizes.
struct Stream {
    seed: u64,
    next: u64,
    block: [u8; 32],
    used: usize,
}

impl Stream {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            if self.used == self.block.len() {
                self.block = sha256(&[&self.seed.to_be_bytes(), &self.next.to_be_bytes()]);
                self.next += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_streams_repeat_whatever_the_request_sizes() {
        let whole: [u8; 100] = Entropy::seeded(7).bytes();
        let entropy = Entropy::seeded(7);
        let mut parts = entropy.bytes::<1>().to_vec();
        parts.extend(entropy.clone().bytes::<40>());
        parts.extend(entropy.bytes::<59>());
        assert_eq!(parts, whole);
        assert_ne!(whole, Entropy::seeded(8).bytes::<100>());
    }

    #[test]
    fn system_fills_every_size() {
        let entropy = Entropy::system();
        for len in [0, 1, 31, BUFFERED_MAX, BUFFERED_MAX + 1, BUFFER_LEN, BUFFER_LEN + 1] {
            let (mut a, mut b) = (vec![0; len], vec![0; len]);
            entropy.fill(&mut a);
            entropy.fill(&mut b);
            assert!(len < 8 || a != b, "{len}");
            assert!(len < 8 || a.iter().any(|byte| *byte != 0), "{len}");
        }
    }

    #[test]
    fn the_buffer_forgets_what_it_handed_out_and_never_repeats() {
        let mut buffer = Buffer { bytes: [0; BUFFER_LEN], used: BUFFER_LEN };
        let mut seen = std::collections::HashSet::new();
        for _ in 0..BUFFER_LEN / 24 * 3 {
            let mut out = [0; 24];
            buffer.fill(&mut out);
            assert!(seen.insert(out));
            assert!(buffer.bytes[..buffer.used].iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn threads_draw_different_bytes() {
        let draws: Vec<[u8; 32]> = (0..4)
            .map(|_| std::thread::spawn(|| Entropy::system().bytes()))
            .map(|thread| thread.join().expect("the thread only draws"))
            .collect();
        assert!(draws.iter().enumerate().all(|(i, a)| draws[..i].iter().all(|b| a != b)));
    }

    #[test]
    fn below_stays_below_and_reaches_everything() {
        let entropy = Entropy::seeded(3);
        assert_eq!((entropy.below(0), entropy.below(1)), (0, 0));
        for n in [2, 3, 10, 62, 255, 256] {
            let seen: std::collections::HashSet<u64> = (0..n * 40).map(|_| entropy.below(n)).collect();
            assert_eq!((seen.len() as u64, seen.iter().max().copied()), (n, Some(n - 1)));
        }
        assert!((0..100).all(|_| entropy.below(u64::MAX) < u64::MAX));
        assert!((0..100).any(|_| entropy.below((1 << 63) + 1) > 1 << 62));
    }

    #[test]
    fn text_uses_its_alphabet() {
        let entropy = Entropy::seeded(4);
        let text = entropy.text(b"abc", 300);
        assert_eq!(text.len(), 300);
        assert!("abc".chars().all(|letter| (50..150).contains(&text.matches(letter).count())));
        assert_eq!(entropy.text(b"", 5), "");
        assert_eq!(entropy.text(b"x", 5), "xxxxx");
    }

    #[test]
    fn uuids_are_version_four() {
        let entropy = Entropy::system();
        for _ in 0..100 {
            let uuid = entropy.uuid();
            assert_eq!((uuid[6] >> 4, uuid[8] >> 6), (4, 2));
        }
    }
}
