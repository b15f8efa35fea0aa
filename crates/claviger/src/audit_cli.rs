//! `claviger audit`: proving the record of who did what, and reading its end.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_core::audit::{Summary, TAIL_LINES_LIMIT, VerifyError, segments, tail, verify};
use serde::Deserialize;

use crate::progress::Progress;

/// Between two looks for new lines.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

/// What can be done with an audit.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Prove that no line was changed, removed, inserted or moved; the server may be running.
    Verify {
        /// The audit's folder, such as ./claviger-data/audit.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Show the newest lines.
    Tail {
        /// The audit's folder, such as ./claviger-data/audit.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// How many.
        #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
        lines: usize,
        /// Go on with new lines as they are written.
        #[arg(short, long)]
        follow: bool,
    },
}

impl Command {
    /// Does it.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Verify { folder } => prove(&folder),
            Self::Tail { folder, lines, follow } => show(&folder, lines, follow),
        }
    }
}

fn prove(folder: &Path) -> Result<()> {
    let found = segments(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    ensure!(!found.is_empty(), "there is no audit in {}", folder.display());
    let mut bar: Option<Progress> = None;
    let outcome = verify(folder, &mut |progress| {
        bar.get_or_insert_with(|| Progress::of_bytes(progress.total_bytes)).set(progress.done_bytes);
    });
    drop(bar);
    let summary = outcome.map_err(|error| match error {
        VerifyError::Broken { .. } => anyhow::anyhow!("the audit is broken at {error}"),
        error @ VerifyError::Io { .. } => error.into(),
    })?;
    let Summary { segments, lines, starts_at_seq, head_seq, head_hash, .. } = summary;
    println!("proved: {lines} lines, numbers {starts_at_seq} to {head_seq}; segment files: {segments}");
    if starts_at_seq > 1 {
        println!("older segments have been removed; what they said is not proved");
    }
    println!("head: {head_seq} {head_hash}");
    println!("a copy of the head kept elsewhere shows later that nothing was cut off at the end");
    Ok(())
}

fn show(folder: &Path, lines: usize, follow: bool) -> Result<()> {
    ensure!(lines <= TAIL_LINES_LIMIT, "at most {TAIL_LINES_LIMIT} lines are shown");
    // Where to go on, found out before the newest lines are read: none is missed then, and one seen twice is known by its number.
    let mut place = Place::end(folder)?;
    let newest = tail(folder, lines.max(1))?;
    let mut last = newest.last().map_or(0, |line| number(line));
    for line in newest.iter().skip(newest.len().saturating_sub(lines)) {
        println!("{line}");
    }
    if !follow {
        return Ok(());
    }
    loop {
        for line in place.new_lines(folder)? {
            let number = number(&line);
            if number > last {
                last = number;
                println!("{line}");
            }
        }
        stdout().flush().context("standard output is gone")?;
        std::thread::sleep(FOLLOW_EVERY);
    }
}

/// The number of a line in the record.
fn number(line: &str) -> u64 {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    serde_json::from_str(line).map_or(0, |Numbered { seq }| seq)
}

/// How far the record has been read.
#[derive(Default)]
struct Place {
    segment: u64,
    offset: u64,
}

impl Place {
    fn end(folder: &Path) -> Result<Self> {
        let found = segments(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let Some((segment, path)) = found.last() else { return Ok(Self::default()) };
        let (mut place, mut lines) = (Self { segment: *segment, offset: 0 }, Vec::new());
        place.read(path, &mut lines)?;
        Ok(place)
    }

    /// The whole lines that have come since.
    fn new_lines(&mut self, folder: &Path) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for (segment, path) in
            segments(folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            if segment < self.segment {
                continue;
            }
            if segment > self.segment {
                *self = Self { segment, offset: 0 };
            }
            self.read(&path, &mut lines)?;
        }
        Ok(lines)
    }

    fn read(&mut self, path: &Path, lines: &mut Vec<String>) -> Result<()> {
        let unreadable = || format!("cannot read {}", path.display());
        let mut file = File::open(path).with_context(unreadable)?;
        file.seek(SeekFrom::Start(self.offset)).with_context(unreadable)?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.by_ref().read_until(b'\n', &mut line).with_context(unreadable)?;
            let Some(whole) = line.strip_suffix(b"\n") else { return Ok(()) };
            self.offset += read as u64;
            lines.push(String::from_utf8_lossy(whole).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use claviger_core::Clock;
    use claviger_core::audit::{Audit, Event, Settings};

    use super::*;

    fn write(audit: &Audit, count: usize) {
        for _ in 0..count {
            let ticket = audit
                .append(&Event {
                    time: Clock::system().now().timestamp(),
                    request_id: "r",
                    dialect: "d",
                    action: "a",
                    account: None,
                    user: None,
                    access_key: None,
                    source: IpAddr::V4(Ipv4Addr::LOCALHOST),
                    resource: None,
                    outcome: "ok",
                })
                .expect("appended");
            audit.flush(ticket).expect("written");
        }
    }

    #[test]
    fn following_misses_no_line_over_segments() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = Settings::new(folder.path());
        settings.segment_bytes = 1000;
        let audit = Audit::open(settings).expect("opened");
        write(&audit, 3);
        let mut place = Place::end(folder.path()).expect("read");
        assert!(place.new_lines(folder.path()).expect("read").is_empty());
        write(&audit, 20);
        let numbers: Vec<u64> =
            place.new_lines(folder.path()).expect("read").iter().map(|line| number(line)).collect();
        let first = numbers.first().copied().expect("20 lines and headers");
        assert!(numbers.len() > 20, "{numbers:?}");
        assert!(numbers.iter().copied().eq(first..first + numbers.len() as u64), "{numbers:?}");
        assert_eq!(numbers.last().copied(), audit.head().ok().map(|head| head.seq));
    }

    #[test]
    fn what_is_broken_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        prove(folder.path()).expect_err("there is nothing to prove");
        let audit = Audit::open(Settings::new(folder.path())).expect("opened");
        write(&audit, 5);
        drop(audit);
        prove(folder.path()).expect("whole");
        show(folder.path(), 2, false).expect("shown");
        show(folder.path(), TAIL_LINES_LIMIT + 1, false).expect_err("too many");
        let (_, path) = segments(folder.path()).expect("read").pop().expect("one");
        let text = std::fs::read_to_string(&path).expect("text");
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        lines.remove(2);
        std::fs::write(&path, lines.concat()).expect("written");
        let error = prove(folder.path()).expect_err("broken").to_string();
        assert!(error.contains("audit-00000001.jsonl, line 3"), "{error}");
    }
}
