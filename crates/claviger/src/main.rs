//! `claviger`, the binary; see the library beside it.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    claviger::cli::finish(claviger::cli::Cli::parse().run())
}
