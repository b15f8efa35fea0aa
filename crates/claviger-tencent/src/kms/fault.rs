//! Faults in the words of KMS: <https://cloud.tencent.com/document/product/573/34406>.

use std::borrow::Cow;

use claviger_core::Fault;
use claviger_core::fault::{
    AliasFault, CipherFault, KeyFault, MaterialFault, ParameterFault, ParameterProblem, TagFault,
};

use crate::wire::{Language, Words, common_words};

/// A fault in the words of KMS.
pub(crate) fn words(action: &str, fault: &Fault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        Fault::Alias(AliasFault::Invalid) => {
            say("InvalidParameterValue.InvalidAlias", "The alias is not of the right form.", "别名格式错误。")
        }
        Fault::Alias(AliasFault::Taken) => {
            say("InvalidParameterValue.AliasAlreadyExists", "The alias already exists.", "别名已存在。")
        }
        Fault::Cipher(fault) => cipher(*fault, language),
        Fault::Conflict | Fault::Unavailable => say(
            "UnsupportedOperation.ServiceTemporaryUnavailable",
            "The service is temporarily unavailable. Nothing was changed; try again later.",
            "服务暂不可用，请稍后重试。",
        ),
        Fault::Key(fault) => key(*fault, language),
        Fault::Material(fault) => material(*fault, language),
        Fault::Parameter(ParameterFault { name, problem: ParameterProblem::Value }) => {
            let message = match language {
                Language::Chinese => format!("参数 `{name}` 的取值不合法。"),
                Language::English => format!("The value of the parameter `{name}` is not valid."),
            };
            Words { code: "InvalidParameter", message: Cow::Owned(message) }
        }
        Fault::PermissionDenied { resource, .. } => denied(action, resource),
        Fault::Tag(fault) => tag(*fault, language),
        Fault::AccessKey(_)
        | Fault::Authentication(_)
        | Fault::BodyTooLarge { .. }
        | Fault::DelegationMissing
        | Fault::Internal
        | Fault::Parameter(_)
        | Fault::Policy(_)
        | Fault::RateLimited { .. }
        | Fault::Route(_)
        | Fault::User(_) => common_words(fault, language),
    }
}

/// The known text of a refusal.
fn denied(action: &str, resource: &str) -> Words {
    let message = format!(
        "you are not authorized to perform operation (kms:{action})\nresource ({resource}) has no permission\n"
    );
    Words { code: "UnauthorizedOperation", message: Cow::Owned(message) }
}

fn cipher(fault: CipherFault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        CipherFault::CiphertextInvalid => say(
            "InvalidParameterValue.InvalidCiphertext",
            "The ciphertext is not of the right form.",
            "密文格式错误。",
        ),
        CipherFault::ContextInvalid => say(
            "InvalidParameter",
            "EncryptionContext must be a JSON object of strings, at most 1024 characters.",
            "EncryptionContext 必须为字符串键值对的 JSON 对象，且不超过 1024 个字符。",
        ),
        CipherFault::DecryptionFailed => say(
            "FailedOperation.EncryptionError",
            "The ciphertext does not open: it was altered, or the encryption context differs.",
            "解密失败：密文被篡改或加密上下文不一致。",
        ),
        CipherFault::PlaintextInvalid => say(
            "InvalidParameterValue.InvalidPlaintext",
            "The plaintext must be base64 of 1 to 4096 bytes.",
            "明文必须为 1 至 4096 字节数据的 base64 编码。",
        ),
    }
}

fn key(fault: KeyFault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        KeyFault::AlreadyPendingDeletion
        | KeyFault::NotAwaitingImport
        | KeyFault::NotDisabled
        | KeyFault::NotEnabled
        | KeyFault::StateForbids => say(
            "ResourceUnavailable.CmkStateNotSupport",
            "This operation cannot be performed under the current CMK status.",
            "CMK 当前状态不支持该操作。",
        ),
        KeyFault::BindingLimit => {
            say("InvalidParameter", "The CMK has too many bindings.", "CMK 绑定的资源数量超过限制。")
        }
        KeyFault::BindingNotFound => say(
            "ResourceUnavailable.CloudResourceBindingNotFound",
            "The CMK is not bound to this resource.",
            "CMK 未绑定该资源。",
        ),
        KeyFault::ClusterUnknown => say(
            "InvalidParameterValue.InvalidHsmClusterId",
            "There is no such HSM cluster.",
            "HsmClusterId 不存在。",
        ),
        KeyFault::DeletionWindowInvalid => say(
            "InvalidParameter.InvalidPendingWindowInDays",
            "PendingWindowInDays must be between 7 and 30.",
            "PendingWindowInDays 必须在 7 到 30 之间。",
        ),
        KeyFault::Disabled | KeyFault::PendingImport => {
            say("ResourceUnavailable.CmkDisabled", "The CMK is disabled.", "CMK 已被禁用。")
        }
        KeyFault::DuplicateId => {
            say("InvalidParameterValue.DuplicatedKeyId", "A KeyId is given twice.", "重复的 KeyId。")
        }
        KeyFault::InUse => say(
            "FailedOperation.CmkUsedByCloudProduct",
            "The CMK is being used by a cloud product.",
            "CMK 已被云产品使用。",
        ),
        KeyFault::MalformedId => {
            say("InvalidParameterValue.InvalidKeyId", "The KeyId is not of the right form.", "KeyId 不合法。")
        }
        KeyFault::NotExternal => say(
            "UnsupportedOperation.NotExternalCmk",
            "The CMK is not an EXTERNAL one.",
            "CMK 不是 EXTERNAL 类型。",
        ),
        KeyFault::NotFound => {
            say("ResourceUnavailable.CmkNotFound", "The CMK does not exist.", "CMK 不存在。")
        }
        KeyFault::NotPendingDeletion => say(
            "ResourceUnavailable.CmkNotPendingDelete",
            "The CMK is not pending deletion.",
            "CMK 不处于计划删除状态。",
        ),
        KeyFault::OriginInvalid => {
            say("InvalidParameterValue.InvalidType", "Type must be 1 or 2.", "Type 参数错误。")
        }
        KeyFault::PendingDeletion => say(
            "ResourceUnavailable.KeyPendingDelete",
            "The CMK is pending deletion.",
            "CMK 处于计划删除状态。",
        ),
        KeyFault::Quota => say(
            "LimitExceeded.CmkLimitExceeded",
            "The number of CMKs has reached the limit.",
            "CMK 数量已达上限。",
        ),
        KeyFault::ShouldBeDisabled => say(
            "ResourceUnavailable.CmkShouldBeDisabled",
            "The CMK must be disabled first.",
            "CMK 应处于禁用状态。",
        ),
        KeyFault::SpecInvalid => say(
            "UnsupportedOperation.UnsupportedKeyUsageInCurrentRegion",
            "This KeyUsage is not offered here: only ENCRYPT_DECRYPT is.",
            "当前地域不支持该 KeyUsage：仅支持 ENCRYPT_DECRYPT。",
        ),
        KeyFault::UsageInvalid => {
            say("InvalidParameterValue.InvalidKeyUsage", "The KeyUsage is not valid.", "KeyUsage 参数错误。")
        }
    }
}

fn material(fault: MaterialFault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        MaterialFault::ExpiryInvalid => {
            say("InvalidParameter", "ValidTo must lie in the future.", "ValidTo 必须晚于当前时间。")
        }
        MaterialFault::Mismatch => say(
            "InvalidParameterValue.MaterialNotMatch",
            "The material differs from the one imported before.",
            "密钥材料与之前导入的不一致。",
        ),
        MaterialFault::TokenExpired => {
            say("ResourceUnavailable.TokenExpired", "The import token is expired.", "导入令牌已过期。")
        }
        MaterialFault::TokenInvalid => {
            say("InvalidParameter", "The import token is not valid for this CMK.", "导入令牌无效。")
        }
        MaterialFault::Unwrap => say(
            "InvalidParameter.DecryptMaterialError",
            "The key material cannot be decrypted, or has the wrong length.",
            "密钥材料解密失败或长度错误。",
        ),
    }
}

fn tag(fault: TagFault, language: Language) -> Words {
    match fault {
        TagFault::DuplicateKey => Words::say(
            language,
            "InvalidParameterValue.TagKeysDuplicated",
            "A tag key is given twice.",
            "标签键重复。",
        ),
        TagFault::ActionInvalid
        | TagFault::KeyEmpty
        | TagFault::KeyInvalid
        | TagFault::KeyTooLong
        | TagFault::Limit
        | TagFault::ListEmpty
        | TagFault::ListTooLong
        | TagFault::MatchKeyInvalid
        | TagFault::MatchValueInvalid
        | TagFault::NotFound
        | TagFault::OffsetInvalid
        | TagFault::PageLimitInvalid
        | TagFault::TooManyValues
        | TagFault::ValueInvalid
        | TagFault::ValueTooLong => Words::say(
            language,
            "InvalidParameter",
            "The tags are not valid: too many, too long, or with characters that are not allowed.",
            "标签不合法：数量、长度或字符不符合要求。",
        ),
    }
}
