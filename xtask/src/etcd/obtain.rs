//! Finding etcd on this machine, or fetching Debian's package of it without being root.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::process::{succeed, target};

/// Names the binary to use.
const VARIABLE: &str = "CLAVIGER_ETCD";
/// What Debian and Ubuntu call the package with the server.
const PACKAGE: &str = "etcd-server";
/// The oldest release line whose API is the one used here.
const OLDEST: Version = Version(3, 4, 0);
/// These can lose their members' agreement after a crash, see <https://github.com/etcd-io/etcd/issues/13766>.
const INCONSISTENT: std::ops::RangeInclusive<Version> = Version(3, 5, 0)..=Version(3, 5, 2);

/// A version by its three numbers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version(u32, u32, u32);

impl std::fmt::Display for Version {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Version {
    /// Parses the start of `text`: `3.4.23`, `3.5.16-rc.0`.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split(['.', '-', '+']).map(str::parse);
        match (numbers.next()?, numbers.next()?, numbers.next()?) {
            (Ok(major), Ok(minor), Ok(patch)) => Some(Self(major, minor, patch)),
            _ => None,
        }
    }

    /// Says why this version must not be used, where it must not.
    fn refusal(self) -> Option<String> {
        if self < OLDEST {
            return Some(format!("etcd {self} is older than {OLDEST}, the oldest that is supported"));
        }
        let broken = INCONSISTENT.contains(&self);
        broken.then(|| format!("etcd {self} can corrupt its data after a crash; use 3.5.3 or later, or 3.4"))
    }
}

/// An etcd server that may be used.
#[derive(Clone, Debug)]
pub struct Binary {
    pub path: PathBuf,
    pub version: Version,
}

/// The one named by `CLAVIGER_ETCD`, or on the path, or fetched before, or fetched now.
pub fn obtain() -> Result<Binary> {
    if let Some(path) = std::env::var_os(VARIABLE) {
        return checked(Path::new(&path))
            .with_context(|| format!("{VARIABLE}={}", Path::new(&path).display()));
    }
    let fetched = folder().join("usr/bin/etcd");
    let on_path = std::env::var_os("PATH").and_then(|path| on_path(&path));
    if let Some(path) = on_path.or_else(|| fetched.exists().then(|| fetched.clone())) {
        return checked(&path);
    }
    fetch().with_context(|| {
        format!(
            "etcd is needed and was not found: install it (Debian, Ubuntu: apt-get install {PACKAGE}), or name a \
             binary in {VARIABLE}; fetching the package without installing it failed too"
        )
    })?;
    checked(&fetched)
}

fn folder() -> PathBuf {
    target().join("etcd")
}

fn on_path(path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join("etcd")).find(|file| file.is_file())
}

fn checked(path: &Path) -> Result<Binary> {
    let output = Command::new(path).arg("--version").output();
    let output = output.with_context(|| format!("cannot start {}", path.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.lines().find_map(|line| line.strip_prefix("etcd Version:"));
    let Some(version) = version.and_then(Version::parse) else {
        bail!("{} --version does not look like etcd's: {text}", path.display());
    };
    match version.refusal() {
        None => Ok(Binary { path: path.to_owned(), version }),
        Some(reason) => bail!("{}: {reason}", path.display()),
    }
}

/// Downloads the package into the target folder and unpacks it there; neither needs root.
fn fetch() -> Result<()> {
    let folder = folder();
    fs::create_dir_all(&folder)?;
    println!("etcd: fetching the package {PACKAGE} into {}", folder.display());
    let download = || succeed(Command::new("apt-get").args(["download", PACKAGE]).current_dir(&folder));
    if download().is_err() {
        // The package lists may be missing or old; this one needs root and says so itself.
        succeed(Command::new("apt-get").args(["update", "--quiet"]))?;
        download()?;
    }
    let files = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut packages: Vec<PathBuf> =
        files.filter(|file| file.extension() == Some(OsStr::new("deb"))).collect();
    packages.sort();
    let package = packages.last().context("apt-get download left no package")?;
    succeed(Command::new("dpkg-deb").arg("-x").arg(package).arg(&folder))?;
    ensure!(folder.join("usr/bin/etcd").exists(), "{} holds no usr/bin/etcd", package.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions() {
        for (text, usable) in [
            ("3.3.25", Some(false)),
            ("3.4.0", Some(true)),
            ("3.4.23", Some(true)),
            ("3.5.0", Some(false)),
            ("3.5.2", Some(false)),
            ("3.5.3", Some(true)),
            (" 3.5.16-rc.0\n", Some(true)),
            ("3.6.1+debian", Some(true)),
            ("3.5", None),
            ("etcd", None),
        ] {
            let judged = Version::parse(text).map(|version| version.refusal().is_none());
            assert_eq!(judged, usable, "{text}");
        }
    }
}
