//! One permission per thing one can do, and how each cloud's policy language spells it.

use serde::{Deserialize, Serialize};

/// A policy language whose documents bind every dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// CAM syntax 2.0: `service:Action`, resources `qcs::service:region:account:path`.
    Cam2,
}

impl Language {
    /// The dialect whose region names its documents use.
    pub const fn dialect(self) -> &'static str {
        match self {
            Self::Cam2 => "tencent",
        }
    }
}

/// What a permission is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// One customer master key.
    Key,
    /// The operation as a whole; only a statement on `*` grants it.
    Operation,
    /// One user.
    User,
}

/// What follows when no statement speaks of a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// Every user of the account may; an explicit deny still stops it.
    Allow,
    /// Nobody but the root user may.
    Deny,
}

macro_rules! permissions {
    ($($(#[doc = $doc:literal])* $name:ident: $level:ident $default:ident [$($cam:literal),*] [$($huawei:literal),*];)*) => {
        /// A thing one can do, in neutral words.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Permission {
            $($(#[doc = $doc])* $name,)*
        }

        impl Permission {
            /// All of them, alphabetically.
            pub const ALL: &'static [Permission] = &[$(Permission::$name,)*];

            const fn row(self) -> &'static Row {
                const ROWS: &[Row] = &[$(Row {
                    name: stringify!($name),
                    level: Level::$level,
                    default: Default::$default,
                    cam: &[$($cam),*],
                    huawei: &[$($huawei),*],
                },)*];
                &ROWS[self as usize]
            }
        }
    };
}

struct Row {
    name: &'static str,
    level: Level,
    default: Default,
    cam: &'static [&'static str],
    huawei: &'static [&'static str],
}

// Permission: level, default, [CAM spellings], [Huawei spellings, v1.1 first]. The first CAM spelling is the one shown.
permissions! {
    /// Make an access key for a user.
    AccessKeyCreate: User Deny ["cam:CreateAccessKey"] ["iam:credentials:createCredential"];
    /// Delete an access key.
    AccessKeyDelete: User Deny ["cam:DeleteAccessKey", "cam:DeleteApiKey"] ["iam:credentials:deleteCredential"];
    /// See when access keys were last used.
    AccessKeyLastUsed: Operation Deny ["cam:GetSecurityLastUsed"] [];
    /// List a user's access keys.
    AccessKeyList: User Deny ["cam:ListAccessKeys"] ["iam:credentials:listCredentials", "iam:credentials:getCredential"];
    /// Activate or inactivate an access key.
    AccessKeyUpdate: User Deny ["cam:UpdateAccessKey"] ["iam:credentials:updateCredential"];
    /// See who one is.
    CallerRead: Operation Allow ["sts:GetCallerIdentity"] ["sts::getCallerIdentity"];
    /// Make a data key under a key.
    DataKeyCreate: Key Deny ["kms:GenerateDataKey"] ["kms:dek:create", "kms:cmk:createDataKey"];
    /// Decrypt with a key.
    Decrypt: Key Deny ["kms:Decrypt"] ["kms:cmk:crypto", "kms:cmk:decrypt", "kms:cmk:decryptData"];
    /// Let a service of the cloud use the account's keys.
    DelegationCreate: Operation Allow [] [];
    /// See whether a service may use the account's keys.
    DelegationRead: Operation Allow [] [];
    /// Encrypt with a key.
    Encrypt: Key Deny ["kms:Encrypt"] ["kms:cmk:crypto", "kms:cmk:encrypt", "kms:cmk:encryptData"];
    /// Bind a key to a resource.
    KeyBind: Key Deny ["kms:BindCloudResource"] [];
    /// Call off a key's deletion.
    KeyCancelDeletion: Key Deny ["kms:CancelKeyDeletion"] ["kms:cmk:update", "kms:cmk:cancelKeyDeletion"];
    /// Make a key.
    KeyCreate: Operation Deny ["kms:CreateKey"] ["kms:cmk:create"];
    /// See a key's metadata.
    KeyDescribe: Key Deny ["kms:DescribeKey", "kms:DescribeKeys"] ["kms:cmk:get"];
    /// Disable a key.
    KeyDisable: Key Deny ["kms:DisableKey", "kms:DisableKeys"] ["kms:cmk:disable"];
    /// Enable a key.
    KeyEnable: Key Deny ["kms:EnableKey", "kms:EnableKeys"] ["kms:cmk:enable"];
    /// List keys.
    KeyList: Operation Deny ["kms:ListKeys", "kms:ListKeyDetail"] ["kms:cmk:list"];
    /// Schedule a key's deletion.
    KeyScheduleDeletion: Key Deny ["kms:ScheduleKeyDeletion"] ["kms:cmk:update", "kms:cmk:scheduleKeyDeletion"];
    /// Remove a key's binding to a resource.
    KeyUnbind: Key Deny ["kms:UnbindCloudResource"] [];
    /// Take away a key's imported material.
    MaterialDelete: Key Deny ["kms:DeleteImportedKeyMaterial"] ["kms:cmk:deleteMaterial"];
    /// Import a key's material.
    MaterialImport: Key Deny ["kms:ImportKeyMaterial"] ["kms:cmk:importMaterial"];
    /// Fetch what importing material needs.
    MaterialParameters: Key Deny ["kms:GetParametersForImport"] ["kms:cmk:getMaterial"];
    /// Attach a policy to a user.
    PolicyAttach: User Deny ["cam:AttachUserPolicy"] ["iam:permissions:grantRoleToUser"];
    /// Make a policy.
    PolicyCreate: Operation Deny ["cam:CreatePolicy"] ["iam:roles:createRole"];
    /// Detach a policy from a user.
    PolicyDetach: User Deny ["cam:DetachUserPolicy"] ["iam:permissions:revokeRoleFromUser"];
    /// List what is attached to a user.
    PolicyListAttached: User Deny ["cam:ListAttachedUserPolicies"] ["iam:permissions:listRolesForUser"];
    /// See a policy.
    PolicyRead: Operation Deny ["cam:GetPolicy"] ["iam:roles:getRole"];
    /// List the account's projects.
    ProjectList: Operation Allow [] ["iam:projects:listProjects"];
    /// List the regions.
    RegionList: Operation Allow ["kms:GetRegions"] [];
    /// See the state of the service and its quotas.
    ServiceStatusRead: Operation Allow ["kms:GetServiceStatus"] ["kms:cmk:getQuota"];
    /// See how a service uses the account's keys, and with which keys it could.
    SettingRead: Operation Allow [] [];
    /// Say with which key a service encrypts.
    SettingUpdate: Operation Allow [] [];
    /// List the tags of a key.
    TagList: Key Deny ["tag:DescribeResourceTagsByResourceIds"] ["kms:cmkTag:list", "kms:cmk:getTags"];
    /// List the tags of all keys.
    TagListAll: Operation Deny ["tag:DescribeTags"] ["kms:cmkTag:list", "kms::listAllTags"];
    /// Find keys by tag.
    TagQuery: Operation Deny ["tag:DescribeResourcesByTags"] ["kms:cmkTag:listInstance", "kms:cmk:listKeysByTag"];
    /// Set and remove tags of a key.
    TagUpdate: Key Deny ["tag:ModifyResourceTags"] ["kms:cmkTag:create", "kms:cmkTag:batch", "kms:cmkTag:delete", "kms:cmk:createTag", "kms:cmk:createTags", "kms:cmk:deleteTag"];
    /// Get a token for one's own credentials.
    TokenCreate: Operation Allow [] [];
    /// Examine a token.
    TokenRead: Operation Allow [] ["iam:tokens:validate"];
    /// Revoke a token.
    TokenRevoke: Operation Allow [] ["iam:tokens:revoke"];
    /// Make a user.
    UserCreate: Operation Deny ["cam:AddUser"] ["iam:users:createUser"];
    /// Delete a user.
    UserDelete: User Deny ["cam:DeleteUser"] ["iam:users:deleteUser"];
    /// List the users.
    UserList: Operation Deny ["cam:ListUsers"] ["iam:users:listUsers"];
    /// See a user.
    UserRead: User Deny ["cam:GetUser"] ["iam:users:getUser"];
    /// See which versions of an API there are.
    VersionRead: Operation Allow [] [];
}

impl Permission {
    /// The neutral name, for the audit and for messages.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What it is asked for.
    pub const fn level(self) -> Level {
        self.row().level
    }

    /// What follows when no statement speaks of it.
    pub const fn default(self) -> Default {
        self.row().default
    }

    /// How a language spells it; empty where that cloud has no such operation.
    pub const fn spellings(self, language: Language) -> &'static [&'static str] {
        match language {
            Language::Cam2 => self.row().cam,
        }
    }

    /// How Huawei's policies spell it, version 1.1 first.
    pub const fn huawei_spellings(self) -> &'static [&'static str] {
        self.row().huawei
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(u64);

const _: () = assert!(Permission::ALL.len() <= 64, "a wider set is needed");

impl PermissionSet {
    /// Every permission whose spelling in `language` matches one of `globs` (case-insensitively, `*` any run).
    pub fn matching(language: Language, globs: &[String]) -> Self {
        let mut set = 0;
        for &permission in Permission::ALL {
            let spellings = permission.spellings(language);
            let hit = globs.iter().any(|glob| {
                glob == "*" || spellings.iter().any(|spelling| glob_matches_ignoring_case(glob, spelling))
            });
            if hit {
                set |= 1 << permission as u8;
            }
        }
        Self(set)
    }

    /// Whether `permission` is in the set.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }
}

/// Whether `text` matches `glob`, in which `*` stands for any run of characters. Linear in time: no backtracking storm.
pub fn glob_matches(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (glob.get(g), text.get(t)) {
            (Some(b'*'), _) => {
                star = Some((g, t));
                g += 1;
            }
            (Some(want), Some(have)) if want == have => {
                g += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    g = at + 1;
                    t = from + 1;
                    star = Some((at, t));
                }
                None => return false,
            },
        }
    }
    glob.get(g..).is_some_and(|rest| rest.iter().all(|&b| b == b'*'))
}

fn glob_matches_ignoring_case(glob: &str, text: &str) -> bool {
    glob_matches(&glob.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match() {
        for (glob, text, hit) in [
            ("*", "", true),
            ("*", "kms:Encrypt", true),
            ("kms:*", "kms:Encrypt", true),
            ("kms:*", "cam:AddUser", false),
            ("kms:Describe*", "kms:DescribeKey", true),
            ("*Key", "kms:DescribeKey", true),
            ("*Key*", "kms:DescribeKeys", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("", "", true),
            ("", "a", false),
            ("a**", "a", true),
        ] {
            assert_eq!(glob_matches(glob, text), hit, "{glob} on {text}");
        }
    }

    #[test]
    fn sets_follow_the_spellings() {
        let set = PermissionSet::matching(Language::Cam2, &["KMS:encrypt".into(), "cam:*AccessKey".into()]);
        for (permission, inside) in [
            (Permission::Encrypt, true),
            (Permission::Decrypt, false),
            (Permission::AccessKeyUpdate, true),
            (Permission::AccessKeyList, false),
            (Permission::DelegationCreate, false),
        ] {
            assert_eq!(set.contains(permission), inside, "{permission:?}");
        }
        let all = PermissionSet::matching(Language::Cam2, &["*".into()]);
        assert!(Permission::ALL.iter().all(|&p| all.contains(p)));
    }

    #[test]
    fn the_table_is_alphabetical() {
        assert!(Permission::ALL.windows(2).all(|pair| match pair {
            [a, b] => a.name() < b.name(),
            _ => true,
        }));
    }
}
