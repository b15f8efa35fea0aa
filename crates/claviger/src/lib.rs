//! The parts of the binary: command line, configuration, wiring.

mod audit_cli;
pub mod cli;
mod cluster;
pub mod config;
pub mod credentials;
pub mod dev;
pub mod dialects;
mod dump;
mod dump_format;
pub mod files;
mod greeting;
mod operations;
mod progress;
mod restore;
pub mod root_key;
pub mod seed;
mod serve;
pub mod server;
pub mod store;
mod telemetry;
mod threads;
mod tls;
pub mod toml_file;
mod upkeep;
