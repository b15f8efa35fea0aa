//! The dialects that are spoken: the one place that names them.

use std::sync::Arc;

use claviger_api::Dialect;
use claviger_core::fault::PolicyFault;
use claviger_core::policy::Statement;
use claviger_huawei::Huawei;
use claviger_tencent::Tencent;

/// What the dialects can be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether the Tencent dialect takes only signatures whose scope names the service that is asked.
    pub strict_scope: bool,
}

/// All of them, in the order in which they are asked whether a request is theirs. Huawei's comes last: it claims what is left.
pub fn all(settings: Settings) -> Vec<Arc<dyn Dialect>> {
    let Settings { strict_scope } = settings;
    vec![
        Arc::new(Tencent::new(claviger_tencent::Settings { strict_scope })),
        Arc::new(Huawei::new(claviger_huawei::Settings::default())),
    ]
}

/// The full names, `service.Action`, of all that can be asked. Two dialects may have one in common.
pub fn action_names() -> Vec<String> {
    all(Settings::default()).iter().flat_map(|dialect| names_of(&**dialect)).collect()
}

/// Parses a policy's document, in the language that seeds are written in.
pub fn parse_policy(document: &str) -> Result<Vec<Statement>, PolicyFault> {
    claviger_tencent::parse_policy(document)
}

fn names_of(dialect: &dyn Dialect) -> Vec<String> {
    dialect.routes().iter().map(|route| format!("{}.{}", route.action.service, route.action.name)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The configuration of regions spells these names.
    #[test]
    fn names_and_order() {
        let names: Vec<&str> = all(Settings::default()).iter().map(|dialect| dialect.name()).collect();
        assert_eq!(names, ["tencent", "huawei"]);
    }

    /// The configuration of rates names an action by its service and its name.
    #[test]
    fn no_two_actions_of_a_dialect_share_a_name() {
        for dialect in all(Settings::default()) {
            let names = names_of(&*dialect);
            let mut seen = HashSet::new();
            let twice: Vec<&String> = names.iter().filter(|name| !seen.insert(*name)).collect();
            assert!(twice.is_empty(), "{}: {twice:?}", dialect.name());
        }
    }
}
