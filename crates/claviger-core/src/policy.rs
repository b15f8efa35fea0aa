//! Policies, compiled: who may do what to which. A dialect parses its cloud's document into [`Statement`]s; the meaning is
//! decided here, for every dialect alike.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, KeyId, RegionId, UserId};
use crate::permission::{Default, Language, Level, Permission, PermissionSet, glob_matches};

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies; a deny beats every allow.
    Deny,
}

/// One statement as it is stored: already known to be well-formed, with patterns as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Allow or deny.
    pub effect: Effect,
    /// Globs over the language's spellings of actions.
    pub actions: Vec<String>,
    /// What it speaks of.
    pub resources: Vec<Pattern>,
}

/// Which resources a statement speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Everything, the operation as a whole included.
    Any,
    /// Resources by their parts; each part is a glob.
    Of {
        /// The service, such as `kms`.
        service: String,
        /// The cloud's region name; empty for every region.
        region: String,
        /// The owning account; absent for the policy's own.
        account: Option<AccountId>,
        /// The path in the language's own spelling, such as `key/creatorUin/*`.
        path: String,
    },
}

/// What a request acts upon.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// The operation as a whole.
    Operation,
    /// One key.
    Key {
        /// The region's names in the language's cloud, or ours.
        region: &'a RegionId,
        /// Who made it.
        creator: UserId,
        /// Which.
        id: KeyId,
    },
    /// One user.
    User(UserId),
}

impl Resource<'_> {
    const fn service(self) -> &'static str {
        match self {
            Self::Operation => "",
            Self::Key { .. } => "kms",
            Self::User(_) => "cam",
        }
    }

    /// The whole name in a language's spelling, for people; `*` for an operation.
    pub fn full_name(self, language: Language, owner: AccountId) -> String {
        let region = match self {
            Self::Key { region, .. } => region.as_str(),
            Self::Operation | Self::User(_) => "",
        };
        match (language, self) {
            (_, Self::Operation) => "*".into(),
            (Language::Cam2, _) => {
                format!("qcs::{}:{region}:uin/{}:{}", self.service(), owner.0, self.path(language))
            }
        }
    }

    /// The path in a language's spelling.
    pub fn path(self, language: Language) -> String {
        match (language, self) {
            (_, Self::Operation) => "*".into(),
            (Language::Cam2, Self::Key { creator, id, .. }) => format!("key/creatorUin/{}/{id}", creator.0),
            (Language::Cam2, Self::User(user)) => format!("uin/{}", user.0),
        }
    }
}

/// A policy ready to be asked.
#[derive(Debug)]
pub struct Compiled {
    language: Language,
    statements: Vec<CompiledStatement>,
}

#[derive(Debug)]
struct CompiledStatement {
    effect: Effect,
    permissions: PermissionSet,
    resources: Vec<Pattern>,
}

/// What the statements seen so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// At least one allows, none denies.
    Allowed,
    /// At least one denies.
    Denied,
    /// None speaks of it.
    Silent,
}

impl Verdict {
    /// Both verdicts taken together: deny over allow over silence.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Denied, _) | (_, Self::Denied) => Self::Denied,
            (Self::Allowed, _) | (_, Self::Allowed) => Self::Allowed,
            (Self::Silent, Self::Silent) => Self::Silent,
        }
    }

    /// Whether it lets `permission` through; silence means that permission's default.
    pub const fn permits(self, permission: Permission) -> bool {
        match self {
            Self::Allowed => true,
            Self::Denied => false,
            Self::Silent => matches!(permission.default(), Default::Allow),
        }
    }
}

impl Compiled {
    /// Compiles statements of one language.
    pub fn new(language: Language, statements: &[Statement]) -> Self {
        let statements = statements
            .iter()
            .map(|statement| CompiledStatement {
                effect: statement.effect,
                permissions: PermissionSet::matching(language, &statement.actions),
                resources: statement.resources.clone(),
            })
            .collect();
        Self { language, statements }
    }

    /// What this policy says. `region_names` are the names under which the policy's cloud knows the resource's region.
    pub fn verdict(
        &self,
        owner: AccountId,
        permission: Permission,
        resource: Resource<'_>,
        region_names: &[String],
    ) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            let covers = |pattern: &Pattern| {
                pattern.covers(statement.effect, self.language, owner, permission, resource, region_names)
            };
            if statement.permissions.contains(permission) && statement.resources.iter().any(covers) {
                verdict = verdict.and(match statement.effect {
                    Effect::Allow => Verdict::Allowed,
                    Effect::Deny => Verdict::Denied,
                });
            }
        }
        verdict
    }
}

impl Pattern {
    /// In doubt a deny covers more than an allow: one that names all of a service reaches the service's operations too, and
    /// the case of letters in a path does not save anybody from it.
    fn covers(
        &self,
        effect: Effect,
        language: Language,
        owner: AccountId,
        permission: Permission,
        resource: Resource<'_>,
        region_names: &[String],
    ) -> bool {
        let Self::Of { service, region, account, path } = self else { return true };
        if effect == Effect::Deny && self.is_all_of_service(language, owner, permission) {
            return true;
        }
        // An operation without a resource is granted by `*` alone: a policy that names concrete resources does not reach it.
        if matches!(permission.level(), Level::Operation) || matches!(resource, Resource::Operation) {
            return false;
        }
        glob_matches(service, resource.service())
            && account.is_none_or(|account| account == owner)
            && region_covers(region, resource, region_names)
            && match effect {
                Effect::Allow => glob_matches(path, &resource.path(language)),
                Effect::Deny => matches_in_any_case(path, &resource.path(language)),
            }
    }

    /// Whether it leaves nothing out of the service, or one of the services, that `permission` is spelled with.
    fn is_all_of_service(&self, language: Language, owner: AccountId, permission: Permission) -> bool {
        let Self::Of { service, region, account, path } = self else { return true };
        let everything = |glob: &str| glob.bytes().all(|b| b == b'*');
        let of_service = |spelling: &&str| {
            spelling.split_once(':').is_some_and(|(spelled, _)| matches_in_any_case(service, spelled))
        };
        everything(region)
            && everything(path)
            && account.is_none_or(|account| account == owner)
            && (everything(service) || permission.spellings(language).iter().any(of_service))
    }
}

fn matches_in_any_case(glob: &str, text: &str) -> bool {
    glob_matches(&glob.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// A region that accepts every name has none listed: then the pattern cannot exclude it, and only `*`-like patterns and the
/// region's own name say something definite. Letting an allow through there matches what the wire does: any name is served.
fn region_covers(pattern: &str, resource: Resource<'_>, names: &[String]) -> bool {
    let Resource::Key { region, .. } = resource else { return true };
    pattern.is_empty()
        || names.is_empty()
        || matches_in_any_case(pattern, region.as_str())
        || names.iter().any(|name| matches_in_any_case(pattern, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: AccountId = AccountId(100_000_000_001);

    fn statement(effect: Effect, action: &str, resources: Vec<Pattern>) -> Statement {
        Statement { effect, actions: vec![action.into()], resources }
    }

    fn of(path: &str) -> Pattern {
        Pattern::Of { service: "kms".into(), region: String::new(), account: None, path: path.into() }
    }

    #[test]
    fn deny_beats_allow_and_silence_denies() {
        let region = RegionId::parse("local").expect("a good name");
        let key = Resource::Key { region: &region, creator: UserId(7), id: KeyId([1; 16]) };
        let id = KeyId([1; 16]).to_string();
        let cases = [
            (vec![], Permission::Encrypt, false),
            (vec![statement(Effect::Allow, "kms:*", vec![Pattern::Any])], Permission::Encrypt, true),
            (
                vec![
                    statement(Effect::Allow, "*", vec![Pattern::Any]),
                    statement(Effect::Deny, "kms:Encrypt", vec![of(&format!("key/creatorUin/7/{id}"))]),
                ],
                Permission::Encrypt,
                false,
            ),
            (
                vec![
                    statement(Effect::Allow, "*", vec![Pattern::Any]),
                    statement(Effect::Deny, "kms:Encrypt", vec![of("key/creatorUin/8/*")]),
                ],
                Permission::Encrypt,
                true,
            ),
            (vec![statement(Effect::Allow, "kms:Encrypt", vec![of("key/*")])], Permission::Encrypt, true),
            (vec![statement(Effect::Allow, "kms:Encrypt", vec![of("key/*")])], Permission::Decrypt, false),
            (vec![statement(Effect::Allow, "kms:*", vec![of("uin/*")])], Permission::Encrypt, false),
            (vec![], Permission::DelegationCreate, true),
            (vec![statement(Effect::Deny, "*", vec![Pattern::Any])], Permission::DelegationCreate, false),
        ];
        for (statements, permission, allowed) in cases {
            let verdict =
                Compiled::new(Language::Cam2, &statements).verdict(OWNER, permission, key, &["ap-x".into()]);
            assert_eq!(verdict.permits(permission), allowed, "{statements:?} {permission:?}");
        }
    }

    #[test]
    fn operations_are_granted_by_star_alone() {
        let named = [statement(Effect::Allow, "kms:*", vec![of("*")])];
        let star = [statement(Effect::Allow, "kms:*", vec![Pattern::Any])];
        for (statements, allowed) in [(&named, false), (&star, true)] {
            let compiled = Compiled::new(Language::Cam2, statements);
            let verdict = compiled.verdict(OWNER, Permission::KeyList, Resource::Operation, &[]);
            assert_eq!(verdict.permits(Permission::KeyList), allowed);
        }
    }

    #[test]
    fn a_deny_on_all_of_a_service_reaches_its_operations() {
        let pattern = |service: &str, region: &str, account: Option<u64>, path: &str| Pattern::Of {
            service: service.into(),
            region: region.into(),
            account: account.map(AccountId),
            path: path.into(),
        };
        let kms = |action| (action, Permission::KeyCreate);
        for ((action, permission), pattern, denied) in [
            (kms("kms:*"), pattern("kms", "*", None, "*"), true),
            (kms("kms:CreateKey"), pattern("kms", "", None, "**"), true),
            (kms("*"), pattern("k*", "", Some(OWNER.0), "*"), true),
            (kms("*"), pattern("*", "", None, "*"), true),
            (kms("kms:*"), pattern("kms", "", Some(9), "*"), false),
            (kms("kms:*"), pattern("kms", "ap-*", None, "*"), false),
            (kms("kms:*"), pattern("kms", "", None, "key/*"), false),
            (kms("kms:Encrypt"), pattern("kms", "", None, "*"), false),
            (kms("*"), pattern("cam", "", None, "*"), false),
            (("*", Permission::UserCreate), pattern("cam", "", None, "*"), true),
            (("*", Permission::UserCreate), pattern("kms", "", None, "*"), false),
            (("*", Permission::SettingUpdate), pattern("*", "", None, "*"), true),
            (("*", Permission::SettingUpdate), pattern("kms", "", None, "*"), false),
        ] {
            let allow = statement(Effect::Allow, "*", vec![Pattern::Any]);
            let statements = [allow, statement(Effect::Deny, action, vec![pattern])];
            let compiled = Compiled::new(Language::Cam2, &statements);
            let verdict = compiled.verdict(OWNER, permission, Resource::Operation, &[]);
            assert_eq!(verdict == Verdict::Denied, denied, "{permission:?} {statements:?}");
        }
        // What belongs to another service's resource is still an action of the service.
        let region = RegionId::parse("local").expect("a good name");
        let key = Resource::Key { region: &region, creator: UserId(7), id: KeyId([1; 16]) };
        let deny = [statement(Effect::Deny, "tag:*", vec![pattern("tag", "", None, "*")])];
        let verdict = Compiled::new(Language::Cam2, &deny).verdict(OWNER, Permission::TagUpdate, key, &[]);
        assert_eq!(verdict, Verdict::Denied);
    }

    #[test]
    fn a_deny_is_not_escaped_by_the_case_of_letters() {
        let region = RegionId::parse("south").expect("a good name");
        let id = KeyId([0xab; 16]);
        let key = Resource::Key { region: &region, creator: UserId(7), id };
        let path = format!("key/creatorUin/7/{}", id.to_string().to_ascii_uppercase());
        for (effect, region, path, covered) in [
            (Effect::Deny, "", path.as_str(), true),
            (Effect::Deny, "", "KEY/creatoruin/*", true),
            (Effect::Deny, "AP-Guangzhou", "key/*", true),
            (Effect::Allow, "AP-Guangzhou", "key/*", true),
            (Effect::Allow, "SOUTH", "key/*", true),
            (Effect::Allow, "", "KEY/creatoruin/*", false),
            (Effect::Deny, "", "key/creatorUin/8/*", false),
        ] {
            let pattern = Pattern::Of {
                service: "kms".into(),
                region: region.into(),
                account: None,
                path: path.into(),
            };
            let names = ["ap-guangzhou".to_owned()];
            let covers = pattern.covers(effect, Language::Cam2, OWNER, Permission::Encrypt, key, &names);
            assert_eq!(covers, covered, "{effect:?} {pattern:?}");
        }
    }

    #[test]
    fn accounts_and_regions_are_compared() {
        let region = RegionId::parse("south").expect("a good name");
        let key = Resource::Key { region: &region, creator: UserId(7), id: KeyId([1; 16]) };
        for (account, pattern, covered) in [
            (None, "", true),
            (Some(OWNER), "ap-guangzhou", true),
            (Some(AccountId(9)), "", false),
            (None, "ap-beijing", false),
            (None, "ap-*", true),
        ] {
            let pattern =
                Pattern::Of { service: "kms".into(), region: pattern.into(), account, path: "key/*".into() };
            let names = ["ap-guangzhou".to_owned()];
            let covers =
                pattern.covers(Effect::Allow, Language::Cam2, OWNER, Permission::Encrypt, key, &names);
            assert_eq!(covers, covered, "{pattern:?}");
        }
    }
}
