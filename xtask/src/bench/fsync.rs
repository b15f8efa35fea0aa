//! The yardstick of durable writes: one thread that appends and syncs.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::load::Measured;

/// Bytes of one append: about what one change of the store is.
const RECORD_BYTES: usize = 512;

/// Appends and `fdatasync`s in that folder for so long.
pub fn append_and_sync(folder: &Path, seconds: f64) -> Result<Measured> {
    let path = folder.join("fsync");
    let mut file = File::create(&path)?;
    let record = [b'x'; RECORD_BYTES];
    let mut micros: Vec<u32> = Vec::new();
    let started = Instant::now();
    let until = started + Duration::from_secs_f64(seconds);
    while Instant::now() < until {
        let began = Instant::now();
        file.write_all(&record)?;
        file.sync_data()?;
        micros.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    let elapsed = started.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    micros.sort_unstable();
    let rank = |per_cent: usize| micros.get(micros.len() * per_cent / 100).copied().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "a count of syncs is far below 2^52")]
    let per_second = micros.len() as f64 / elapsed;
    Ok(Measured { per_second, p50_micros: rank(50), p99_micros: rank(99), failures: 0 })
}
