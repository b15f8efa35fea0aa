//! A store that is served from etcd, copied to a data folder and back under another prefix: the same records each time.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::Scene;
use crate::caller::{Caller, text as text_of};
use crate::cluster::{Cluster, Config};
use crate::process::{binary, command};
use crate::server::{Launch, free_address, text};

/// Keys made before the first dump.
const KEYS: usize = 25;
/// The prefix that the copy goes to.
const ELSEWHERE: &str = "moved/";

pub(super) fn there_and_back(scene: &mut Scene) -> Result<()> {
    let cluster = Cluster::start(&scene.etcd, scene.settings)?;
    let folder = cluster.folder();
    let file = |name: &str| folder.join(name);
    let keys = make_keys(&cluster)?;
    claviger(&["dump", "--config", text(cluster.config(0))?, "--out", text(&file("live.dump"))?])?;
    println!("    dumped while three nodes serve: {} records", records(&file("live.dump"))?.len());

    let alone = file("alone");
    claviger(&["restore", "--in", text(&file("live.dump"))?, "--data", text(&alone)?])?;
    serves(&cluster, &alone, &keys)?;
    claviger(&["dump", "--data", text(&alone)?, "--out", text(&file("alone.dump"))?])?;
    let elsewhere = elsewhere(&cluster)?;
    let into = ["restore", "--config", text(&elsewhere)?, "--in"];
    claviger(&[&into[..], &[text(&file("live.dump"))?]].concat())?;
    claviger(&["dump", "--config", text(&elsewhere)?, "--out", text(&file("back.dump"))?])?;
    ensure!(
        records(&file("live.dump"))? == records(&file("back.dump"))?,
        "the records differ after the way to etcd"
    );
    println!("    etcd, a data folder and etcd again hold the same; {} keys work in the folder", keys.len());

    let said = claviger(&[&into[..], &[text(&file("live.dump"))?]].concat()).map(drop);
    ensure!(said.is_err(), "a store was restored over another");
    let whole = fs::read(file("live.dump"))?;
    fs::write(file("cut.dump"), whole.get(..whole.len() / 2).context("a dump has bytes")?)?;
    let said = claviger(&["restore", "--in", text(&file("cut.dump"))?, "--data", text(&file("cut"))?]);
    ensure!(said.is_err(), "half a dump was restored");
    Ok(())
}

fn make_keys(cluster: &Cluster) -> Result<Vec<String>> {
    let mut root = Caller::connect(cluster.address(0), &cluster.account.root())?;
    let make = |n| {
        let made = root.tencent("kms", "CreateKey", &json!({"Alias": format!("moved-{n}")}))?.done()?;
        text_of(&made, "/KeyId")
    };
    (0..KEYS).map(make).collect()
}

/// Serves a data folder with the cluster's root key, and uses every key.
fn serves(cluster: &Cluster, data: &Path, keys: &[String]) -> Result<()> {
    let address = free_address()?;
    let config = cluster.folder().join("alone.toml");
    let root = cluster.folder().join("root.key");
    let toml = format!(
        "[[listener]]\naddress = \"{address}\"\n\n[data]\nfolder = \"{}\"\n\n[root_key]\nfile = \"{}\"\n",
        text(data)?,
        text(&root)?
    );
    fs::write(&config, toml)?;
    let (mut server, _) = Launch::serve(address, data, &config)?.start()?;
    let mut caller = Caller::connect(address, &cluster.account.root())?;
    for key in keys {
        let done = caller.tencent("kms", "Encrypt", &json!({"KeyId": key, "Plaintext": "AAAA"}))?.done()?;
        ensure!(done.get("CiphertextBlob").and_then(Value::as_str).is_some(), "no ciphertext of {key}");
    }
    let status = server.stop()?;
    ensure!(status.success(), "the server of the copy ended with {status}");
    Ok(())
}

/// The configuration of a node on the same etcd under another prefix.
fn elsewhere(cluster: &Cluster) -> Result<std::path::PathBuf> {
    let folder = cluster.folder();
    let (data, endpoints) = (folder.join("moved"), cluster.etcd.clients());
    let settings = &cluster.settings;
    let config =
        Config { address: free_address()?, data: &data, name: "moved", endpoints: &endpoints, settings };
    let toml = config.toml(&folder.join("root.key"))?;
    let file = folder.join("moved.toml");
    fs::write(
        &file,
        toml.replace("engine = \"etcd\"", &format!("engine = \"etcd\"\nprefix = \"{ELSEWHERE}\"")),
    )?;
    Ok(file)
}

/// The lines of a dump between its header, which has the time, and its trailer.
fn records(dump: &Path) -> Result<Vec<String>> {
    let lines: Vec<String> = fs::read_to_string(dump)?.lines().map(String::from).collect();
    let end = lines.len().checked_sub(1).context("a dump has lines")?;
    Ok(lines.get(1..end).context("a dump has a header and a trailer")?.to_vec())
}

fn claviger(words: &[&str]) -> Result<String> {
    let output = command(binary()?, words).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "claviger {}: {}: {said}", words.join(" "), output.status);
    Ok(said)
}
