//! What all of this cloud's services share on the wire.

mod admit;
mod answer;
mod authorization;
mod canonical;
mod origin;
mod query;
mod router;
mod signature;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use admit::{SIGNATURE_WINDOW_SECONDS, admit};
pub(crate) use answer::answer;
pub(crate) use origin::address;
pub(crate) use query::pairs;
pub(crate) use router::{Found, Router};
pub(crate) use words::{Envelope, Words, gateway_words};

use claviger_core::{Authority, RegionId};

/// The name of this dialect in configuration, metrics and audit.
pub(crate) const DIALECT: &str = "huawei";

/// How this cloud's clients call one of our regions: the first name that is configured for them, or else our own.
pub(crate) fn region_name(authority: &Authority, region: &RegionId) -> String {
    let configured = authority.regions().find(region).and_then(|region| region.names(DIALECT).first());
    configured.cloned().unwrap_or_else(|| region.as_str().to_owned())
}
