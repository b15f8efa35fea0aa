//! Faults in the words of CAM: <https://www.tencentcloud.com/document/product/598/52592> and its neighbours. CAM has no words of its own for many
//! things but several for others, by action; so the action is asked for.

use std::borrow::Cow;

use claviger_core::fault::{AccessKeyFault, ParameterFault, ParameterProblem, PolicyFault, UserFault};
use claviger_core::permission::Language as PolicyLanguage;
use claviger_core::{Fault, Permission};

use crate::wire::{Language, Words, common_words};

/// A fault of `action` in the words of CAM.
pub(crate) fn words(action: &str, fault: &Fault, language: Language) -> Words {
    match fault {
        Fault::AccessKey(fault) => access_key(*fault, language),
        Fault::Parameter(ParameterFault { name, problem: ParameterProblem::Value }) => {
            match value_code(action, name) {
                Some(code) => value(code, name, language),
                None => common_words(fault, language),
            }
        }
        Fault::PermissionDenied { permission, resource } => denied(action, *permission, resource),
        Fault::Policy(fault) => policy(*fault, language),
        Fault::Conflict | Fault::Unavailable if is_about_access_keys(action) => Words::say(
            language,
            "FailedOperation.Accesskey",
            "An error occurred while operating on the access key. Nothing was changed; try again later.",
            "操作访问密钥出错，未做任何更改，请稍后重试。",
        ),
        Fault::User(fault) => user(action, *fault, language),
        Fault::Alias(_)
        | Fault::Authentication(_)
        | Fault::BodyTooLarge { .. }
        | Fault::Cipher(_)
        | Fault::Conflict
        | Fault::DelegationMissing
        | Fault::Internal
        | Fault::Key(_)
        | Fault::Material(_)
        | Fault::Parameter(_)
        | Fault::RateLimited { .. }
        | Fault::Route(_)
        | Fault::Tag(_)
        | Fault::Unavailable => common_words(fault, language),
    }
}

/// The four actions that share one list of errors.
fn is_about_access_keys(action: &str) -> bool {
    matches!(action, "CreateAccessKey" | "DeleteAccessKey" | "ListAccessKeys" | "UpdateAccessKey")
}

/// What a bad value is called; `None` where the action's list has no word for it.
fn value_code(action: &str, parameter: &str) -> Option<&'static str> {
    match (action, parameter) {
        ("CreatePolicy", "Description") => Some("InvalidParameter.DescriptionLengthOverlimit"),
        ("AttachUserPolicy" | "DetachUserPolicy" | "GetPolicy", "PolicyId") => {
            Some("InvalidParameter.PolicyIdError")
        }
        ("GetSecurityLastUsed", _) => Some("InvalidParameter"),
        ("DeleteUser" | "GetUser" | "ListUsers", _) => None,
        _ => Some("InvalidParameter.ParamError"),
    }
}

fn value(code: &'static str, name: &str, language: Language) -> Words {
    let message = match language {
        Language::Chinese => format!("参数 `{name}` 的取值不合法。"),
        Language::English => format!("The value of the parameter `{name}` is not valid."),
    };
    Words { code, message: Cow::Owned(message) }
}

fn denied(action: &str, permission: Permission, resource: &str) -> Words {
    let keys_of_a_user = action == "DeleteUser" && permission == Permission::AccessKeyDelete;
    let (code, operation) = if keys_of_a_user {
        ("UnauthorizedOperation.DeleteApiKey", "cam:DeleteApiKey")
    } else {
        let spellings = permission.spellings(PolicyLanguage::Cam2);
        ("AuthFailure.UnauthorizedOperation", spellings.first().copied().unwrap_or("cam:*"))
    };
    let message = format!(
        "you are not authorized to perform operation ({operation})\nresource ({resource}) has no \
         permission\n"
    );
    Words { code, message: Cow::Owned(message) }
}

fn access_key(fault: AccessKeyFault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        AccessKeyFault::Limit => say(
            "OperationDenied.AccessKeyOverLimit",
            "Each user can have up to two access keys.",
            "每个账号最多支持两个AccessKey。",
        ),
        AccessKeyFault::NotFound => {
            say("ResourceNotFound.SecretNotExist", "The access key does not exist.", "密钥不存在。")
        }
        AccessKeyFault::OfAnotherUser => say(
            "OperationDenied.UinNotMatch",
            "The access key does not belong to the user named.",
            "密钥与账号不匹配。",
        ),
        AccessKeyFault::OfRoot => say(
            "OperationDenied.SubUin",
            "A sub-user is not allowed to operate on the root account's access keys.",
            "子用户不允许操作主账号密钥。",
        ),
    }
}

fn user(action: &str, fault: UserFault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        UserFault::HasAccessKeys => say(
            "OperationDenied.HaveKeys",
            "The sub-user still has access keys and cannot be deleted.",
            "子用户存在未删除的API密钥，无法删除。",
        ),
        UserFault::Limit => say(
            "InvalidParameter.SubUserFull",
            "There are as many sub-users as there may be.",
            "子用户数量达到上限。",
        ),
        UserFault::NameInvalid => say(
            "InvalidParameter.UserNameIllegal",
            "The user name must be 1 to 64 letters, digits and _-.@+=, characters.",
            "用户名不合法：须为 1 至 64 个字母、数字或 _-.@+=, 字符。",
        ),
        UserFault::NameTaken => say(
            "InvalidParameter.SubUserNameInUse",
            "The sub-user name is already in use.",
            "子用户名称重复。",
        ),
        UserFault::NotFound => {
            let code = match action {
                "ListAttachedUserPolicies" => "InvalidParameter.ParamError",
                action if is_about_access_keys(action) => "InvalidParameter.UserNotExist",
                _ => "ResourceNotFound.UserNotExist",
            };
            say(code, "The user does not exist.", "用户不存在。")
        }
        UserFault::PasswordWeak => say(
            "InvalidParameter.PasswordViolatedRules",
            "The password must have at least 8 characters of at least three kinds: lower case, upper case, digits, others.",
            "密码不符合规则：至少 8 个字符，且至少包含小写字母、大写字母、数字和其他字符中的三种。",
        ),
    }
}

fn policy(fault: PolicyFault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        PolicyFault::Action => say(
            "InvalidParameter.ActionError",
            "An action of the policy document must be * or service:Action, with or without name/ before it.",
            "策略语法中的 action 必须为 * 或 service:Action，前面可带 name/。",
        ),
        PolicyFault::ActionMissing => say(
            "InvalidParameter.ActionMiss",
            "A statement of the policy document has no action.",
            "策略语法中缺少 action。",
        ),
        PolicyFault::ActionUnknown => say(
            "InvalidParameter.ActionNotExist",
            "The policy document names an action that does not exist.",
            "策略语法中的 action 不存在。",
        ),
        PolicyFault::Condition => say(
            "InvalidParameter.ConditionError",
            "Conditions are not supported yet. The policy was refused, so that it is not enforced in part.",
            "暂不支持 condition，策略未创建，以免被部分执行。",
        ),
        PolicyFault::Document => say(
            "InvalidParameter.PolicyDocumentError",
            "The policy document must be a JSON object of version and statement, without unknown or repeated members.",
            "策略语法不合法：须为仅含 version 和 statement 的 JSON 对象，且成员不得重复。",
        ),
        PolicyFault::DocumentTooLong => say(
            "InvalidParameter.PolicyDocumentLengthOverLimit",
            "The policy document must not be longer than 6144 characters.",
            "策略语法长度不得超过 6144 个字符。",
        ),
        PolicyFault::Effect => say(
            "InvalidParameter.EffectError",
            "The effect of a statement must be allow or deny.",
            "策略语法中的 effect 必须为 allow 或 deny。",
        ),
        PolicyFault::Limit => say(
            "FailedOperation.PolicyFull",
            "The user has as many policies as it may have.",
            "用户策略数超过上限。",
        ),
        PolicyFault::NameInvalid => say(
            "InvalidParameter.PolicyNameError",
            "The policy name must be 1 to 128 letters, digits and +=,.@_- characters.",
            "策略名不合法：须为 1 至 128 个字母、数字或 +=,.@_- 字符。",
        ),
        PolicyFault::NameTaken => {
            say("FailedOperation.PolicyNameInUse", "The policy name is already in use.", "策略名称重复。")
        }
        PolicyFault::NotFound => {
            say("ResourceNotFound.PolicyIdNotFound", "The policy does not exist.", "策略不存在。")
        }
        PolicyFault::Principal => say(
            "InvalidParameter.PrincipalError",
            "A principal does not belong in the policy of a user.",
            "用户策略中不允许包含 principal。",
        ),
        PolicyFault::Resource => say(
            "InvalidParameter.ResourceError",
            "A resource must be * or qcs::service:region:account:path with an empty account, uin/ or uin/<number>.",
            "resource 必须为 * 或六段式 qcs::service:region:account:path，account 为空、uin/ 或 uin/<编号>。",
        ),
        PolicyFault::Statement => say(
            "InvalidParameter.StatementError",
            "A statement must be an object of effect, action and resource, without unknown members.",
            "statement 必须为仅含 effect、action 和 resource 的对象。",
        ),
        PolicyFault::Version => say(
            "InvalidParameter.VersionError",
            "The version of the policy document must be 2.0.",
            "策略语法版本必须为 2.0。",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_the_lists_of_the_actions() {
        let denied =
            |permission| Fault::PermissionDenied { permission, resource: "qcs::cam::uin/1:uin/7".into() };
        for (action, fault, code) in [
            ("UpdateAccessKey", Fault::value("Status"), "InvalidParameter.ParamError"),
            ("UpdateAccessKey", Fault::missing("Status"), "MissingParameter"),
            ("UpdateAccessKey", Fault::Unavailable, "FailedOperation.Accesskey"),
            ("CreateAccessKey", Fault::Conflict, "FailedOperation.Accesskey"),
            ("UpdateAccessKey", Fault::Internal, "InternalError"),
            ("GetUser", Fault::Unavailable, "ServiceUnavailable"),
            ("UpdateAccessKey", UserFault::NotFound.into(), "InvalidParameter.UserNotExist"),
            ("GetUser", UserFault::NotFound.into(), "ResourceNotFound.UserNotExist"),
            ("ListAttachedUserPolicies", UserFault::NotFound.into(), "InvalidParameter.ParamError"),
            ("GetSecurityLastUsed", Fault::value("SecretIdList"), "InvalidParameter"),
            ("DeleteUser", Fault::value("Force"), "InvalidParameterValue"),
            ("CreatePolicy", Fault::value("Description"), "InvalidParameter.DescriptionLengthOverlimit"),
            ("GetPolicy", Fault::value("PolicyId"), "InvalidParameter.PolicyIdError"),
            ("DeleteUser", denied(Permission::AccessKeyDelete), "UnauthorizedOperation.DeleteApiKey"),
            ("DeleteUser", denied(Permission::UserDelete), "AuthFailure.UnauthorizedOperation"),
            ("DeleteAccessKey", denied(Permission::AccessKeyDelete), "AuthFailure.UnauthorizedOperation"),
        ] {
            assert_eq!(words(action, &fault, Language::English).code, code, "{action} {fault:?}");
        }
    }

    #[test]
    fn a_refusal_names_operation_and_resource() {
        let fault = Fault::PermissionDenied {
            permission: Permission::AccessKeyUpdate,
            resource: "qcs::cam::uin/1:uin/7".into(),
        };
        assert_eq!(
            words("UpdateAccessKey", &fault, Language::English).message,
            "you are not authorized to perform operation (cam:UpdateAccessKey)\nresource (qcs::cam::uin/1:uin/7) has no \
             permission\n"
        );
    }
}
