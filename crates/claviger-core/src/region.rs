//! Our regions, and the names under which clouds' clients ask for them.

use std::collections::BTreeMap;

use crate::ids::RegionId;
use crate::key::KeySpec;

/// One of our regions.
#[derive(Clone, Debug)]
pub struct Region {
    /// Its name.
    pub id: RegionId,
    /// What a symmetric key is unless the caller says otherwise.
    pub spec: KeySpec,
    /// The names it answers to, by dialect.
    pub names: BTreeMap<String, Vec<String>>,
}

impl Region {
    /// The names it answers to in one dialect; empty where it answers to all.
    pub fn names(&self, dialect: &str) -> &[String] {
        self.names.get(dialect).map_or(&[], Vec::as_slice)
    }
}

/// All our regions; the first is the one meant when a request names none.
#[derive(Clone, Debug)]
pub struct Regions {
    first: Region,
    others: Vec<Region>,
}

impl Regions {
    /// A single region, `local`, that answers to every name.
    pub fn single(spec: KeySpec) -> Self {
        let id = RegionId::parse("local").expect("`local` is a good name");
        Self { first: Region { id, spec, names: BTreeMap::new() }, others: Vec::new() }
    }

    /// From a list; `None` if it is empty.
    pub fn new(mut regions: Vec<Region>) -> Option<Self> {
        if regions.is_empty() {
            return None;
        }
        let first = regions.remove(0);
        Some(Self { first, others: regions })
    }

    /// The one meant when a request names none.
    pub const fn first(&self) -> &Region {
        &self.first
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// By our own name.
    pub fn find(&self, id: &RegionId) -> Option<&Region> {
        self.iter().find(|region| region.id == *id)
    }

    /// By a name that a dialect's client uses: one that lists the name, or else one that lists none in that dialect.
    pub fn answering(&self, dialect: &str, name: &str) -> Option<&Region> {
        let listed = self.iter().find(|region| {
            region.id.as_str() == name || region.names(dialect).iter().any(|listed| listed == name)
        });
        listed.or_else(|| self.iter().find(|region| region.names(dialect).is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(id: &str, names: &[&str]) -> Region {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let by_dialect =
            if names.is_empty() { BTreeMap::new() } else { BTreeMap::from([("t".into(), names)]) };
        Region { id: RegionId::parse(id).expect("a good name"), spec: KeySpec::Aes256, names: by_dialect }
    }

    #[test]
    fn names_lead_to_regions() {
        let regions =
            Regions::new(vec![region("north", &["ap-beijing"]), region("south", &["ap-guangzhou"])])
                .expect("two regions");
        for (name, found) in [
            ("ap-beijing", Some("north")),
            ("ap-guangzhou", Some("south")),
            ("south", Some("south")),
            ("ap-tokyo", None),
        ] {
            assert_eq!(regions.answering("t", name).map(|region| region.id.as_str()), found, "{name}");
        }
        assert_eq!(regions.answering("other", "anything").map(|r| r.id.as_str()), Some("north"));
        assert!(Regions::single(KeySpec::Aes256).answering("t", "ap-tokyo").is_some());
        assert!(Regions::new(Vec::new()).is_none());
    }
}
