//! The dialects that are spoken: the one place that names them.

use std::sync::Arc;

use claviger_api::Dialect;
use claviger_core::fault::PolicyFault;
use claviger_core::policy::Statement;

/// What the dialects can be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether the Tencent dialect takes only signatures whose scope names the service that is asked.
    pub strict_scope: bool,
}

/// All of them, in the order in which they are asked whether a request is theirs. Huawei's comes last: it claims what is left.
pub fn all(_settings: Settings) -> Vec<Arc<dyn Dialect>> {
    Vec::new()
}

/// The full names, `service.Action`, of all that can be asked.
pub fn action_names() -> Vec<String> {
    let names = |dialect: &Arc<dyn Dialect>| {
        let routes = dialect.routes();
        routes.into_iter().map(|route| format!("{}.{}", route.action.service, route.action.name)).collect::<Vec<_>>()
    };
    all(Settings::default()).iter().flat_map(names).collect()
}

/// Parses a policy's document, in the language that seeds are written in.
pub fn parse_policy(_document: &str) -> Result<Vec<Statement>, PolicyFault> {
    Ok(Vec::new())
}
