//! Projects: an account's share of one of our regions.

use claviger_core::records::Account;
use claviger_core::{Authority, HexId, RegionId};
use serde::Serialize;

use crate::wire::{DIALECT, region_name};

/// Longest name of a project, in bytes.
const NAME_BYTES: usize = 64;

/// A project of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Project {
    /// Its region.
    pub(super) region: RegionId,
    /// Its id.
    pub(super) id: HexId,
    /// Its name: a name that its region answers to.
    pub(super) name: String,
}

impl Project {
    /// The project that answers to a name. Its name is then that very name, whatever others its region has.
    pub(super) fn named(authority: &Authority, account: &Account, name: &str) -> Option<Self> {
        let well_formed = (1..=NAME_BYTES).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let region = authority.regions().answering(DIALECT, name).filter(|_| well_formed)?;
        Some(Self { name: name.to_owned(), ..Self::of(authority, account, &region.id)? })
    }

    /// The project with an id.
    pub(super) fn with_id(authority: &Authority, account: &Account, id: &str) -> Option<Self> {
        let id = HexId::parse(id)?;
        Self::all(authority, account).find(|project| project.id == id)
    }

    /// The project in one of our regions.
    pub(super) fn of(authority: &Authority, account: &Account, region: &RegionId) -> Option<Self> {
        let offered = authority.regions().find(region)?;
        let id = *account.projects.get(&offered.id)?;
        Some(Self { region: offered.id.clone(), id, name: region_name(authority, region) })
    }

    /// All projects of an account, in the order of our regions.
    pub(super) fn all(authority: &Authority, account: &Account) -> impl Iterator<Item = Self> {
        authority.regions().iter().filter_map(|region| Self::of(authority, account, &region.id))
    }
}

/// A project as lists show it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    description: &'static str,
    domain_id: HexId,
    enabled: bool,
    id: HexId,
    is_domain: bool,
    links: Link,
    name: String,
    parent_id: HexId,
}

/// Where a thing is.
#[derive(Debug, Serialize)]
pub(super) struct Link {
    /// Its address.
    #[serde(rename = "self")]
    pub(super) here: String,
}

/// Where a list is, and its neighbours, which it never has.
#[derive(Debug, Serialize)]
pub(super) struct Links {
    next: (),
    previous: (),
    #[serde(rename = "self")]
    here: String,
}

impl Links {
    /// Of a list at an address.
    pub(super) const fn here(here: String) -> Self {
        Self { next: (), previous: (), here }
    }
}

/// A list of projects.
#[derive(Debug, Serialize)]
pub(super) struct List {
    /// Where it is.
    pub(super) links: Links,
    /// The projects.
    pub(super) projects: Vec<Shown>,
}

impl Shown {
    /// A project of `account`; `address` makes addresses of paths.
    pub(super) fn new(account: &Account, project: Project, address: impl Fn(&str) -> String) -> Self {
        Self {
            description: "",
            domain_id: account.hex,
            enabled: true,
            id: project.id,
            is_domain: false,
            links: Link { here: address(&format!("/v3/projects/{}", project.id)) },
            name: project.name,
            parent_id: account.hex,
        }
    }
}
