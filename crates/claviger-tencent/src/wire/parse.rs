//! Parameters into an action's own struct.

use std::borrow::Cow;

use claviger_api::Request;
use claviger_api::params::{self, Lenience, Style};
use claviger_core::Fault;
use claviger_core::fault::{ParameterFault, ParameterProblem, RouteFault};
use hyper::Method;
use serde::de::DeserializeOwned;

use super::pairs::{Pairs, v1_pairs};

/// Texts of digits pass for numbers, as the vendor's own examples write them; numbers do not pass for texts.
const STYLE: Style = Style { number_as_text: Lenience::Refused, text_as_number: Lenience::Accepted };

/// What every v1 request carries beside its own parameters.
const COMMON: &[&str] = &[
    "Action",
    "Language",
    "Nonce",
    "Region",
    "RequestClient",
    "SecretId",
    "Signature",
    "SignatureMethod",
    "Timestamp",
    "Token",
    "Version",
];

/// Reads the parameters, however they were sent.
pub(crate) fn parse<T: DeserializeOwned>(request: &Request) -> Result<T, Fault> {
    let incoming = &request.incoming;
    let unreadable =
        || Fault::Parameter(ParameterFault { name: Cow::Borrowed(""), problem: ParameterProblem::Syntax });
    if !incoming.headers.contains_key("authorization") {
        let mut pairs = v1_pairs(incoming);
        pairs.0.retain(|(name, _)| !COMMON.contains(&name.as_str()));
        return params::flattened(&pairs.0);
    }
    match incoming.method {
        Method::GET => {
            let pairs = Pairs::decode(incoming.query()).ok_or_else(unreadable)?;
            params::flattened(&pairs.0)
        }
        Method::POST => {
            let media = incoming.header("content-type").unwrap_or_default();
            let media = media.split(';').next().unwrap_or_default().trim();
            if !media.eq_ignore_ascii_case("application/json") {
                return Err(unreadable());
            }
            params::json(&incoming.body, STYLE)
        }
        _ => Err(RouteFault::MethodNotAllowed.into()),
    }
}
