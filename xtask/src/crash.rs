//! The crash test: the real binary, concurrent signed writes, SIGKILL at random moments, and a search for anything lost
//! or half done.
//!
//! Every round has an account of its own. Several writers change it over their own connections until the server is
//! killed; what each was told is remembered, and so is the one change it was waiting for. After the restart every
//! acknowledged change has to be there, and the unanswered one has to be there wholly or not at all.

use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::account::{Account, Users};
use crate::chance::Chance;
use crate::clock::unix_millis;
use crate::process::{binary, command, succeed, target};
use crate::server::{Launch, Server, text};

mod check;
mod writer;

use writer::Writer;

/// Writers per round, each on a connection of its own.
const WRITERS: usize = 6;
/// Longest life of a server before it is killed.
const LIFE: Duration = Duration::from_millis(450);
/// Longest life of a server that is killed while it starts.
const STARTING: Duration = Duration::from_millis(60);

/// How often, and from which number all chance is drawn.
#[derive(Args)]
pub struct Options {
    /// Rounds; each ends in a SIGKILL, and some have a second one during the restart.
    #[arg(long, default_value_t = 60)]
    rounds: usize,
    /// Repeats the choices of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: 60, seed: None }
    }
}

/// Runs the rounds, then looks at everything once more.
pub fn run(options: &Options) -> Result<()> {
    let seed = options.seed.unwrap_or_else(unix_millis);
    println!("crash test: {} rounds, --seed {seed}", options.rounds);
    play(options.rounds, &mut Chance::new(seed)).with_context(|| format!("crash test with --seed {seed}"))
}

fn play(rounds: usize, chance: &mut Chance) -> Result<()> {
    let started = Instant::now();
    let folder = tempfile::Builder::new().prefix("crash-").tempdir_in(target())?;
    let data = folder.path().join("data");
    let accounts: Vec<Account> =
        (0..rounds).map(|number| Account::new(number, WRITERS, Users::Nobodies)).collect();
    seed(folder.path(), &data, &accounts)?;

    let mut writers: Vec<Vec<Writer>> = Vec::new();
    let mut kills = 0;
    for account in &accounts {
        let (mut server, _) = Launch::dev(&data, &["--no-limits"])?.start()?;
        if let Some(last) = writers.last_mut() {
            check::settle(last, &server).context("after a kill")?;
        }
        writers.push(write_until_killed(account, &mut server, chance)?);
        kills += 1;
        if chance.one_in(4) {
            let mut server = Launch::dev(&data, &["--no-limits"])?.spawn()?;
            thread::sleep(chance.duration(STARTING));
            server.kill()?;
            kills += 1;
        }
    }

    let (mut server, _) = Launch::dev(&data, &["--no-limits"])?.start()?;
    let mut request_ids = Vec::new();
    for group in &mut writers {
        check::settle(group, &server)?;
        check::release(group, &server)?;
        request_ids.extend(group.iter_mut().flat_map(|writer| writer.request_ids.drain(..)));
    }
    let status = server.stop()?;
    ensure!(status.success(), "the last server ended with {status}");
    verify_audit(&data.join("audit"), &request_ids)?;
    println!(
        "crash test: {kills} kills, {} acknowledged changes with a request id, {} keys, {} s",
        request_ids.len(),
        writers.iter().flatten().map(|writer| writer.keys.len()).sum::<usize>(),
        started.elapsed().as_secs()
    );
    Ok(())
}

/// Makes the accounts. Only the first start reads the seed file: it must not repair what a crash broke.
fn seed(folder: &Path, data: &Path, accounts: &[Account]) -> Result<()> {
    let file = folder.join("seed.toml");
    std::fs::write(&file, accounts.iter().map(Account::toml).collect::<String>())?;
    let (mut server, _) = Launch::dev(data, &["--no-limits", "--seed", text(&file)?])?.start()?;
    let status = server.stop()?;
    ensure!(status.success(), "the seeding server ended with {status}");
    Ok(())
}

/// One round: the writers with what they were told.
fn write_until_killed(account: &Account, server: &mut Server, chance: &mut Chance) -> Result<Vec<Writer>> {
    let address = server.address();
    let life = chance.duration(LIFE);
    let finished = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for number in 0..WRITERS {
            let mut writer = Writer::new(account.clone(), number, Chance::new(chance.next()));
            let finished = &finished;
            scope.spawn(move || {
                let outcome = writer.write_until_cut_off(address);
                finished.lock().expect("no writer panics holding it").push((writer, outcome));
            });
        }
        thread::sleep(life);
        server.kill()
    })?;
    let mut writers = Vec::new();
    for (writer, outcome) in finished.into_inner().expect("all writers are done") {
        outcome?;
        writers.push(writer);
    }
    Ok(writers)
}

/// The chain is whole, and every acknowledged change has its line.
fn verify_audit(folder: &Path, request_ids: &[String]) -> Result<()> {
    succeed(&mut command(binary()?, ["audit", "verify", text(folder)?]))?;
    let mut lines = String::new();
    for entry in std::fs::read_dir(folder)? {
        lines.push_str(&std::fs::read_to_string(entry?.path())?);
    }
    let recorded: std::collections::HashSet<&str> = lines.split('"').collect();
    for id in request_ids {
        ensure!(recorded.contains(id.as_str()), "request {id} was answered but is not in the audit");
    }
    Ok(())
}
