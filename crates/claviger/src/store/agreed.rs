//! What the configurations of all nodes of a cluster must have in common. The first node writes it down; one that would answer
//! differently is refused before it serves.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, bail};
use claviger_core::Limits;
use claviger_core::records::{self, Agreed, at};
use claviger_core::region::Regions;
use claviger_core::tag::TagProfile;
use claviger_store::{Engine, StoreError, Tx};
use serde_json::{Value, json};

use crate::dialects;

/// What to do where this node's settings are not those of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Difference {
    /// Write this node's down: the change is meant, and the other nodes follow.
    Accept,
    /// Do not start.
    #[default]
    Refuse,
}

/// How often it is tried again because another node was first.
const TRIES: u32 = 8;

/// The settings that this node would agree to, by the table of the configuration that they are in.
#[derive(Debug)]
pub struct Agreement(BTreeMap<String, Value>);

impl Agreement {
    /// What matters of a configuration.
    pub fn of(regions: &Regions, limits: Limits, spoken: dialects::Settings) -> Self {
        let regions: Vec<Value> = regions
            .iter()
            .map(|region| json!({"name": region.id, "symmetric": region.spec, "names": region.names}))
            .collect();
        let tags = match limits.tags {
            TagProfile::Classic => "classic",
            TagProfile::Modern => "modern",
        };
        let tables = [
            ("quota", json!({"keys_per_region": limits.keys_per_ring})),
            ("region", json!(regions)),
            ("tags", json!({"profile": tags})),
            ("tencent", json!({"strict_scope": spoken.strict_scope})),
        ];
        Self(tables.map(|(table, settings)| (table.to_owned(), settings)).into())
    }

    /// Compares with what the cluster has agreed on, and writes nothing.
    ///
    /// # Errors
    /// The table that differs, and what to do.
    pub async fn check(&self, engine: &dyn Engine, difference: Difference) -> Result<()> {
        let known = known(&mut Tx::new(engine)).await?;
        self.settle(&known, difference).map(drop)
    }

    /// Compares with what the cluster has agreed on, and writes down what is new in it.
    ///
    /// # Errors
    /// The table that differs, and what to do; nothing was written then.
    pub async fn reach(&self, engine: &dyn Engine, difference: Difference) -> Result<()> {
        for _ in 0..TRIES {
            let mut tx = Tx::new(engine);
            let known = known(&mut tx).await?;
            let next = self.settle(&known, difference)?;
            if next == known {
                return Ok(());
            }
            tx.put(at::agreed(), records::encode(&Agreed { v: records::FORMAT, tables: next }));
            match tx.commit().await {
                Err(StoreError::Conflict) => {}
                outcome => return outcome.map(drop).context("the store cannot be written"),
            }
        }
        bail!("other nodes keep changing what all agree on; start one after the other")
    }

    /// What all agree on with this node among them. A table that only one side knows is of another release, and no difference.
    fn settle(
        &self,
        known: &BTreeMap<String, Value>,
        difference: Difference,
    ) -> Result<BTreeMap<String, Value>> {
        let mut next = known.clone();
        for (table, ours) in &self.0 {
            let theirs = next.insert(table.clone(), ours.clone()).filter(|theirs| theirs != ours);
            let Some(theirs) = theirs else { continue };
            match difference {
                Difference::Accept => {
                    tracing::warn!(table, %theirs, %ours, "a setting of the cluster is changed");
                }
                Difference::Refuse => bail!(
                    "[{table}] of this node says {ours}, and the other nodes agreed on {theirs}; make it the same, or, to \
                     change it for all, change it everywhere and restart one node after the other, the first with \
                     --accept-settings"
                ),
            }
        }
        Ok(next)
    }
}

async fn known(tx: &mut Tx<'_>) -> Result<BTreeMap<String, Value>> {
    let stored = tx.get(&at::agreed()).await.context("the store cannot be read")?;
    let known = stored.map(|value| records::decode::<Agreed>(&value)).transpose();
    let known = known.map_err(|_| anyhow!("what the nodes agreed on cannot be read; see the log"))?;
    Ok(known.map(|agreed| agreed.tables).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use claviger_core::RegionId;
    use claviger_core::key::KeySpec;
    use claviger_core::region::Region;
    use claviger_store::MemoryEngine;

    use super::*;

    fn agreement(change: impl FnOnce(&mut Vec<Region>, &mut Limits)) -> Agreement {
        let id = RegionId::parse("south").expect("a name");
        let mut regions = vec![Region { id, spec: KeySpec::Aes256, names: BTreeMap::new() }];
        let mut limits = Limits::default();
        change(&mut regions, &mut limits);
        let regions = Regions::new(regions).expect("some");
        Agreement::of(&regions, limits, dialects::Settings::default())
    }

    #[tokio::test]
    async fn the_first_node_writes_and_others_must_agree() {
        let engine = MemoryEngine::new();
        let ours = agreement(|_, _| {});
        ours.reach(&engine, Difference::Refuse).await.expect("the first");
        ours.reach(&engine, Difference::Refuse).await.expect("the same");
        assert_eq!(engine.stats().commits, 1);
        for (other, expected) in [
            (agreement(|regions, _| regions[0].spec = KeySpec::Sm4), "[region] of this node says"),
            (
                agreement(|_, limits| limits.keys_per_ring = 7),
                "[quota] of this node says {\"keys_per_region\":7}, and the other nodes agreed on {\"keys_per_region\":200}",
            ),
            (agreement(|_, limits| limits.tags = TagProfile::Modern), "[tags] of this node says"),
        ] {
            let error = other.reach(&engine, Difference::Refuse).await.expect_err(expected).to_string();
            assert!(error.starts_with(expected) && error.contains("--accept-settings"), "{error}");
            assert_eq!(engine.stats().commits, 1, "nothing was written");
        }
        let new = agreement(|_, limits| limits.keys_per_ring = 7);
        new.reach(&engine, Difference::Accept).await.expect("meant");
        new.reach(&engine, Difference::Refuse).await.expect("agreed");
        ours.reach(&engine, Difference::Refuse).await.expect_err("the old one is what differs now");
    }

    #[test]
    fn a_table_of_another_release_is_no_difference() {
        let ours = agreement(|_, _| {});
        let mut known = ours.0.clone();
        known.remove("tags");
        known.insert("tide".into(), json!({"moon": true}));
        let next = ours.settle(&known, Difference::Refuse).expect("no difference");
        assert!(next.contains_key("tags") && next.contains_key("tide"));
    }
}
