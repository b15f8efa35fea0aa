//! Documents of the CAM policy language 2.0: <https://cloud.tencent.com/document/product/598/10603>.
//!
//! A document is understood as a whole or refused: what would be left out of an enforced policy is worse than an error.

mod json;

use claviger_core::fault::PolicyFault;
use claviger_core::permission::Language;
use claviger_core::policy::{Effect, Pattern, Statement};
use claviger_core::{AccountId, Permission};

use json::Json;

/// Longest document, in characters.
const DOCUMENT_CHARS: usize = 6144;
/// The services whose every action is known here.
const SERVICES: [&str; 4] = ["cam", "kms", "sts", "tag"];

/// Reads a document into statements; wildcards stay in them as text.
pub fn parse_policy(document: &str) -> Result<Vec<Statement>, PolicyFault> {
    if document.chars().count() > DOCUMENT_CHARS {
        return Err(PolicyFault::DocumentTooLong);
    }
    let Some(Json::Map(members)) = json::read(document) else { return Err(PolicyFault::Document) };
    let (mut version, mut statement) = (None, None);
    for (name, value) in members {
        match name.as_str() {
            "principal" => return Err(PolicyFault::Principal),
            "statement" => statement = Some(value),
            "version" => version = Some(value),
            _ => return Err(PolicyFault::Document),
        }
    }
    if !matches!(version, Some(Json::Text(version)) if version == "2.0") {
        return Err(PolicyFault::Version);
    }
    match statement {
        Some(Json::List(statements)) if !statements.is_empty() => {
            statements.into_iter().map(read_statement).collect()
        }
        Some(single @ Json::Map(_)) => Ok(vec![read_statement(single)?]),
        _ => Err(PolicyFault::Statement),
    }
}

fn read_statement(statement: Json) -> Result<Statement, PolicyFault> {
    let Json::Map(members) = statement else { return Err(PolicyFault::Statement) };
    let (mut action, mut effect, mut resource) = (None, None, None);
    for (name, value) in members {
        match (name.as_str(), value) {
            ("action", value) => action = Some(value),
            ("condition", Json::Map(conditions)) if conditions.is_empty() => {}
            ("condition", _) => return Err(PolicyFault::Condition),
            ("effect", value) => effect = Some(value),
            ("principal", _) => return Err(PolicyFault::Principal),
            ("resource", value) => resource = Some(value),
            _ => return Err(PolicyFault::Statement),
        }
    }
    let effect = match effect {
        Some(Json::Text(effect)) if effect == "allow" => Effect::Allow,
        Some(Json::Text(effect)) if effect == "deny" => Effect::Deny,
        _ => return Err(PolicyFault::Effect),
    };
    let actions = action.ok_or(PolicyFault::ActionMissing)?.texts().ok_or(PolicyFault::Action)?;
    if actions.is_empty() {
        return Err(PolicyFault::ActionMissing);
    }
    let resources = resource.and_then(Json::texts).filter(|texts| !texts.is_empty());
    let resources = resources.ok_or(PolicyFault::Resource)?;
    Ok(Statement {
        effect,
        actions: actions.iter().map(|text| read_action(text)).collect::<Result<_, _>>()?,
        resources: resources.iter().map(|text| read_resource(text)).collect::<Result<_, _>>()?,
    })
}

/// `service:Action`, with `*` anywhere; `name/` before it changes nothing. Of our own services a name without a wildcard must be
/// one there is; other services' are let pass, since they grant nothing here.
fn read_action(text: &str) -> Result<String, PolicyFault> {
    let action = text.strip_prefix("name/").unwrap_or(text);
    if action == "*" || action == "*:*" {
        return Ok("*".to_owned());
    }
    let (service, name) = action.split_once(':').ok_or(PolicyFault::Action)?;
    if !is_glob_of_word(service) || !is_glob_of_word(name) {
        return Err(PolicyFault::Action);
    }
    let ours = SERVICES.iter().any(|ours| ours.eq_ignore_ascii_case(service));
    if ours && !name.contains('*') && !exists(action) {
        return Err(PolicyFault::ActionUnknown);
    }
    Ok(action.to_owned())
}

fn exists(action: &str) -> bool {
    let mut spellings =
        Permission::ALL.iter().flat_map(|permission| permission.spellings(Language::Cam2).iter());
    spellings.any(|spelling| spelling.eq_ignore_ascii_case(action))
}

/// `*`, or `qcs:<empty>:service:region:account:path`.
fn read_resource(text: &str) -> Result<Pattern, PolicyFault> {
    if text == "*" {
        return Ok(Pattern::Any);
    }
    let mut segments = text.splitn(6, ':');
    let mut next = || segments.next().ok_or(PolicyFault::Resource);
    let (scheme, project, service, region, account, path) =
        (next()?, next()?, next()?, next()?, next()?, next()?);
    let shaped = scheme == "qcs"
        && project.is_empty()
        && is_glob_of_word(service)
        && (region.is_empty() || is_glob_of_word(region))
        && is_path(path);
    if !shaped {
        return Err(PolicyFault::Resource);
    }
    Ok(Pattern::Of {
        service: service.to_ascii_lowercase(),
        region: region.to_ascii_lowercase(),
        account: read_account(account)?,
        path: with_lower_ids(path),
    })
}

/// `None` means the policy's own account; a policy never applies in another, so a wildcard means the same. The numbers of
/// `uid/` are of another kind and refused.
fn read_account(text: &str) -> Result<Option<AccountId>, PolicyFault> {
    if matches!(text, "" | "*" | "uin/" | "uin/*") {
        return Ok(None);
    }
    let digits = text.strip_prefix("uin/").filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.map(|number| Some(AccountId(number))).ok_or(PolicyFault::Resource)
}

/// A path with the ids of keys, or what wildcards leave of them, in lower case, as keys have them. The words in paths have other
/// letters than ids and stay.
fn with_lower_ids(path: &str) -> String {
    let is_id = |segment: &str| segment.bytes().all(|b| b.is_ascii_hexdigit() || b"-*".contains(&b));
    let lower = |segment: &str| {
        if is_id(segment) { segment.to_ascii_lowercase() } else { segment.to_owned() }
    };
    path.split('/').map(lower).collect::<Vec<_>>().join("/")
}

fn is_glob_of_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.*".contains(&b))
}

/// Variables (`${…}`) are not understood, so they are not let in.
fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.contains("${") && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests;
