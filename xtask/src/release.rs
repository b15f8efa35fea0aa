//! Which release a node is: the present one, or the one before it, built from what the repository keeps of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use crate::process::{binary, command, succeed, target};

/// What nodes are upgraded from: the tree of the newest source that somebody else may run, as `git rev-parse <commit>^{tree}` tells
/// it; the tag's, once there are releases.
const TREE: &str = "caa71a6a269ab493a19e51ac7e0e0fcb759b0921";

/// What a node is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Release {
    /// What nodes are upgraded from.
    Former,
    /// What this repository is.
    #[default]
    Present,
}

impl Release {
    /// Its binary.
    pub fn binary(self) -> Result<PathBuf> {
        match self {
            Self::Former => former(),
            Self::Present => binary(),
        }
    }
}

/// The former release's binary, unless `CLAVIGER_FORMER` names another.
fn former() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("CLAVIGER_FORMER") {
        let path = PathBuf::from(path);
        ensure!(path.is_file(), "CLAVIGER_FORMER={} is not a file", path.display());
        return Ok(path);
    }
    let kept = target().join("former").join(format!("claviger-{TREE}"));
    if !kept.exists() {
        build(&kept).context("building the former release; CLAVIGER_FORMER can name its binary instead")?;
    }
    Ok(kept)
}

fn build(kept: &Path) -> Result<()> {
    println!("    building the former release, once");
    let folder = tempfile::Builder::new().prefix("former-").tempdir_in(target())?;
    let (source, built) = (folder.path().join("source"), folder.path().join("target"));
    fs::create_dir_all(&source)?;
    fs::create_dir_all(&built)?;
    let mut archive = command("git", ["archive", "--format=tar", TREE])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .context("cannot start git")?;
    let tar = archive.stdout.take().context("git's output")?;
    let unpacked =
        command("tar", ["-x"]).current_dir(&source).stdin(tar).status().context("cannot start tar")?;
    ensure!(
        archive.wait()?.success() && unpacked.success(),
        "the repository has no tree {TREE}: it must be a clone with its history"
    );
    // What both have in common need not be compiled again; in a folder of its own, so that this build is never taken for the present one.
    let present = target().join("release");
    if present.exists() {
        let copy = ["-a".as_ref(), "--reflink=auto".as_ref(), present.as_os_str(), built.as_os_str()];
        succeed(&mut command("cp", copy))?;
    }
    let arguments = ["build", "--quiet", "--release", "--locked", "-p", "claviger", "--bins", "--examples"];
    let mut cargo = command("cargo", arguments);
    cargo.arg("--manifest-path").arg(source.join("Cargo.toml")).env("CARGO_TARGET_DIR", &built);
    succeed(&mut cargo)?;
    fs::create_dir_all(kept.parent().context("it is in a folder")?)?;
    // Under its name only when it is whole.
    let whole = kept.with_extension("new");
    fs::copy(built.join("release/claviger"), &whole)?;
    fs::rename(&whole, kept)?;
    Ok(())
}
