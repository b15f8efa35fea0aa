//! The command line.

use std::convert::identity;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

use crate::config::{Config, EXAMPLE};
use crate::{audit_cli, cluster, dev, dump, restore, serve, telemetry};

/// A key management service of your own that speaks the APIs of Tencent Cloud and Huawei Cloud.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  claviger dev
      Serve http://127.0.0.1:7600 out of ./claviger-data, and print what to paste into your programs.
  claviger dev --listen 127.0.0.1:0 --data /tmp/ci --seed accounts.toml --no-limits
      For tests: a free port (see /tmp/ci/credentials.json), and the accounts that a file declares.
  claviger config example > claviger.toml && claviger serve --config claviger.toml --seed accounts.toml
      For production: TLS, several addresses, regions, quotas. The seed is needed until there is an account.
  claviger dump --data DIR --out store.dump && claviger restore --in store.dump --data NEW
      Move a store. The dump is still sealed: bring the root key along.
  claviger audit verify DIR/audit
      Prove that nobody changed the record of who did what.
";

const SEED: &str = "\
The seed file, in TOML; what is declared and missing is made, what is there is left as it is:

  [[account]]
  uin = 100000000001
  app_id = 1250000001
  domain_id = \"0af7651916cd43dd8448eb211c80319c\"
  domain_name = \"acme\"
  project_id = \"b7ad6b7169203331b7ad6b7169203331\"
  password = \"of the root user\"

  [[account.access_key]]        # of the root user; at most two
  id = \"AKIDexample\"
  secret = \"at least 32 characters are wise\"

  [[account.policy]]
  name = \"encrypt-only\"
  document = '{\"version\":\"2.0\",\"statement\":[{\"effect\":\"allow\",\"action\":[\"kms:Encrypt\"],\"resource\":[\"*\"]}]}'

  [[account.user]]
  name = \"alice\"
  uin = 100000000002
  policies = [\"encrypt-only\"]

  [[account.user.access_key]]
  id = \"AKIDalice\"
  secret = \"another secret\"
  status = \"Inactive\"

  [[account.key]]
  id = \"23e80852-1e38-4e99-b129-5cb9019b4b01\"
  alias = \"app\"
  tags = { team = \"a\" }
";

#[derive(Debug, Subcommand)]
enum Command {
    /// The record of who did what.
    #[command(subcommand)]
    Audit(audit_cli::Command),
    /// Many nodes over one store in etcd.
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// The configuration of `claviger serve`.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Serve without configuration, for development and tests.
    #[command(after_help = SEED)]
    Dev(dev::Args),
    /// Copy a whole store to a file, still sealed.
    Dump(dump::Args),
    /// Make a store out of a dump.
    Restore(restore::Args),
    /// Serve as a configuration file says.
    #[command(after_help = SEED)]
    Serve(serve::Args),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say what is wrong with a file, if anything is.
    Check {
        /// The file.
        #[arg(value_name = "FILE", required_unless_present = "config")]
        file: Option<PathBuf>,
        /// The same.
        #[arg(long, value_name = "FILE", conflicts_with = "file")]
        config: Option<PathBuf>,
    },
    /// Print a commented file with all there is and its defaults.
    Example,
}

impl Cli {
    /// Does what was asked for.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Audit(command) => command.run(),
            Command::Cluster(command) => block_on(with_log(command.run())),
            Command::Config(command) => command.run(),
            Command::Dev(args) => block_on(dev::run(args, identity)),
            Command::Dump(args) => block_on(with_log(dump::run(args))),
            Command::Restore(args) => block_on(with_log(restore::run(args))),
            Command::Serve(args) => block_on(serve::run(args)),
        }
    }
}

impl ConfigCommand {
    fn run(self) -> Result<()> {
        match self {
            Self::Check { file, config } => {
                let file = file.or(config).context("which file?")?;
                Config::read(&file)?.setup(&file)?;
                println!("{} is accepted", file.display());
            }
            Self::Example => print!("{EXAMPLE}"),
        }
        Ok(())
    }
}

/// Runs it on a runtime of its own, which stays beside the threads that serve.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime =
        Builder::new_current_thread().enable_all().build().context("a runtime cannot be started")?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    outcome
}

/// Says what went wrong, if anything did, and with which code to exit.
pub fn finish(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// With a log of what is wrong only: the command says the rest.
async fn with_log(work: impl Future<Output = Result<()>>) -> Result<()> {
    telemetry::start_log(telemetry::LogFormat::Text, "warn")?;
    work.await
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        for line in [
            "claviger dev --listen 127.0.0.1:0 --data d --seed s --no-limits",
            "claviger dev --etcd http://127.0.0.1:1,http://127.0.0.1:2 --etcd http://127.0.0.1:3",
            "claviger dev --etcd http://127.0.0.1:1 --etcd-prefix a/",
            "claviger serve --config c --seed s",
            "claviger serve --config c --accept-settings",
            "claviger config check c",
            "claviger config check --config c",
            "claviger config example",
            "claviger cluster status --config c",
            "claviger cluster status --etcd http://127.0.0.1:1 --prefix a/ --json",
            "claviger dump --data d --out -",
            "claviger dump --config c --out f",
            "claviger dump --etcd http://127.0.0.1:1 --out f",
            "claviger restore --in - --data d",
            "claviger restore --from f --data d",
            "claviger restore --in f --config c",
            "claviger restore --discard --config c",
            "claviger audit verify d",
            "claviger audit tail d -n 3 -f",
        ] {
            Cli::try_parse_from(line.split(' ')).expect(line);
        }
        for line in [
            "claviger",
            "claviger dev --listen nowhere",
            "claviger serve",
            "claviger config check",
            "claviger dev --etcd-prefix a/",
        ] {
            Cli::try_parse_from(line.split(' ')).expect_err(line);
        }
    }

    #[test]
    fn the_seed_that_help_shows_is_accepted() {
        let text = SEED.split_once("\n\n").expect("a heading first").1;
        let seed: crate::seed::Seed =
            crate::toml_file::parse(std::path::Path::new("help"), text).expect("accepted");
        assert_eq!(seed.accounts.len(), 1);
    }
}
