//! What must be true after a crash.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::writer::{Key, PRODUCT, Pending, Writer, expected_plaintext};
use crate::caller::{Caller, Outcome, text};
use crate::server::Server;

/// Settles each writer's unanswered change, then compares everything with what the writers were told.
pub fn settle(writers: &mut [Writer], server: &Server) -> Result<()> {
    let Some(account) = writers.first().map(|writer| writer.account.clone()) else { return Ok(()) };
    let mut caller = Caller::connect(server.address(), &account.root())?;
    for writer in writers.iter_mut() {
        if let Some(pending) = writer.pending.take() {
            let told = format!("{pending:?}");
            settle_one(writer, pending, &mut caller).with_context(|| format!("unanswered: {told}"))?;
        }
        writer.seal(&mut caller)?;
    }
    for writer in writers.iter() {
        check_status(writer, server, &mut caller)?;
        for key in &writer.keys {
            check_key(writer, key, &mut caller).with_context(|| format!("{key:?}"))?;
        }
    }
    let listed = caller.tencent("kms", "ListKeyDetail", &json!({"Limit": 1}))?.done()?;
    let known: usize = writers.iter().map(|writer| writer.keys.len()).sum();
    let total = listed.get("TotalCount").and_then(Value::as_u64);
    ensure!(total == Some(known as u64), "{total:?} keys in the account, {known} known");
    Ok(())
}

/// Finds out whether the change happened; either is right, a part of it is not.
fn settle_one(writer: &mut Writer, pending: Pending, caller: &mut Caller) -> Result<()> {
    match pending {
        Pending::Bind { key, resource } => {
            let id = writer.keys.get(key).map(|key| key.id.clone()).context("bound an unknown key")?;
            let body = json!({"KeyId": id, "ProductId": PRODUCT, "ResourceId": resource});
            let answer = caller.tencent("kms", "BindCloudResource", &body)?.done()?;
            writer.pending = Some(Pending::Bind { key, resource });
            writer.acknowledge(&answer)
        }
        Pending::Create { alias } => {
            let found = caller.tencent("kms", "ListKeyDetail", &json!({"SearchKeyAlias": alias}))?.done()?;
            let keys = found.get("KeyMetadatas").and_then(Value::as_array).context("no KeyMetadatas")?;
            let exact = keys.iter().filter(|key| key.get("Alias").and_then(Value::as_str) == Some(&alias));
            let exact: Vec<&Value> = exact.collect();
            match exact.as_slice() {
                [] => {
                    // Not made: then the alias must not be taken either.
                    writer.pending = Some(Pending::Create { alias: alias.clone() });
                    let body = json!({"Alias": alias, "Tags": [{"TagKey": "born", "TagValue": alias}]});
                    let made = caller.tencent("kms", "CreateKey", &body)?.done()?;
                    writer.acknowledge(&made)
                }
                [key] => {
                    writer.adopt(text(key, "/KeyId")?, alias);
                    Ok(())
                }
                _ => bail!("{} keys with one alias", exact.len()),
            }
        }
        Pending::Status { .. } => {
            writer.active = listed_status(writer, caller)?;
            Ok(())
        }
        Pending::Tags { key, tags } => {
            let old = writer.keys.get_mut(key).context("tagged an unknown key")?;
            let path = format!("/v1.0/{}/kms/{}/tags", writer.account.project_id(), old.id);
            let seen = read_tags(caller, &path)?;
            ensure!(seen == old.tags || seen == tags, "half a change: {seen:?} from {:?}", old.tags);
            old.tags = seen;
            Ok(())
        }
    }
}

/// The list and the gate agree with each other and with what was told.
fn check_status(writer: &Writer, server: &Server, caller: &mut Caller) -> Result<()> {
    let listed = listed_status(writer, caller)?;
    ensure!(listed == writer.active, "the access key is active: {listed}, acknowledged: {}", writer.active);
    let pair = writer.account.user_pair(writer.number);
    let outcome =
        Caller::connect(server.address(), &pair)?.tencent("sts", "GetCallerIdentity", &json!({}))?;
    if writer.active { outcome.done().map(drop) } else { outcome.refused("AuthFailure.SecretIdNotFound") }
}

fn listed_status(writer: &Writer, caller: &mut Caller) -> Result<bool> {
    let body = json!({"TargetUin": writer.account.user_uin(writer.number)});
    let listed = caller.tencent("cam", "ListAccessKeys", &body)?.done()?;
    Ok(text(&listed, "/AccessKeys/0/Status")? == "Active")
}

fn check_key(writer: &Writer, key: &Key, caller: &mut Caller) -> Result<()> {
    let described = caller.tencent("kms", "DescribeKey", &json!({"KeyId": key.id}))?.done()?;
    ensure!(text(&described, "/KeyMetadata/Alias")? == key.alias, "another alias: {described}");
    ensure!(text(&described, "/KeyMetadata/KeyState")? == "Enabled", "not enabled: {described}");
    let taken = caller.tencent("kms", "CreateKey", &json!({"Alias": key.alias}))?;
    taken.refused("InvalidParameterValue.AliasAlreadyExists").context("its alias is not reserved")?;
    let path = format!("/v1.0/{}/kms/{}/tags", writer.account.project_id(), key.id);
    let seen = read_tags(caller, &path)?;
    ensure!(seen == key.tags, "tags {seen:?}");
    if !key.bindings.is_empty() {
        let outcome = caller.tencent("kms", "DisableKey", &json!({"KeyId": key.id}))?;
        outcome.refused("FailedOperation.CmkUsedByCloudProduct").context("its bindings do not hold it")?;
    }
    let blob = key.blob.as_ref().context("a key that has sealed nothing")?;
    let opened = caller.tencent("kms", "Decrypt", &json!({"CiphertextBlob": blob}))?.done()?;
    ensure!(text(&opened, "/Plaintext")? == expected_plaintext(), "another plaintext");
    Ok(())
}

fn read_tags(caller: &mut Caller, path: &str) -> Result<BTreeMap<String, String>> {
    let body = caller.huawei("GET", path, &json!({}))?.done()?;
    let tags = body.get("tags").and_then(Value::as_array).context("no tags")?;
    tags.iter().map(|tag| Ok((text(tag, "/key")?, text(tag, "/value")?))).collect()
}

/// The end of an account: every binding is there exactly once, and without bindings nothing holds a key.
pub fn release(writers: &[Writer], server: &Server) -> Result<()> {
    let Some(account) = writers.first().map(|writer| writer.account.clone()) else { return Ok(()) };
    let mut caller = Caller::connect(server.address(), &account.root())?;
    for key in writers.iter().flat_map(|writer| &writer.keys) {
        for resource in &key.bindings {
            let body = json!({"KeyId": key.id, "ProductId": PRODUCT, "ResourceId": resource});
            let outcome = caller.tencent("kms", "UnbindCloudResource", &body)?;
            outcome.done().with_context(|| format!("lost the binding to {resource} of {key:?}"))?;
            let again = caller.tencent("kms", "UnbindCloudResource", &body)?;
            again.refused("ResourceUnavailable.CloudResourceBindingNotFound")?;
        }
        let disabled: Outcome = caller.tencent("kms", "DisableKey", &json!({"KeyId": key.id}))?;
        disabled.done().with_context(|| format!("something else holds {key:?}"))?;
    }
    Ok(())
}
