//! Faults in the words of the tag service: <https://www.tencentcloud.com/document/product/651/33012>.
//!
//! Not in the vendor's lists of the two actions, and so our choice: `TagKeyDuplicate`, `TagNumPerRequest` (both are codes of the
//! service's other actions), and plain `ResourceNotFound`, since the vendor's service does not ask whether a resource is there.

use std::borrow::Cow;

use claviger_core::Fault;
use claviger_core::fault::{KeyFault, ParameterFault, ParameterProblem, TagFault, UserFault};
use claviger_core::permission::Language as PolicyLanguage;

use crate::wire::{Language, Words, common_words};

/// A fault in the words of the tag service.
pub(crate) fn words(fault: &Fault, language: Language) -> Words {
    match fault {
        Fault::Key(KeyFault::NotFound) | Fault::User(UserFault::NotFound) => {
            Words::say(language, "ResourceNotFound", "The resource does not exist.", "资源不存在。")
        }
        Fault::Parameter(ParameterFault { name, problem: ParameterProblem::Value }) => match value_code(name)
        {
            Some(code) => value(code, name, language),
            None => common_words(fault, language),
        },
        Fault::PermissionDenied { permission, resource } => {
            let operation = permission.spellings(PolicyLanguage::Cam2).first().copied().unwrap_or("tag:*");
            let message = format!(
                "you are not authorized to perform operation ({operation})\nresource ({resource}) has \
                 no permission\n"
            );
            Words { code: "AuthFailure.UnauthorizedOperation", message: Cow::Owned(message) }
        }
        Fault::Tag(fault) => tag(*fault, language),
        Fault::AccessKey(_)
        | Fault::Alias(_)
        | Fault::Authentication(_)
        | Fault::BodyTooLarge { .. }
        | Fault::Cipher(_)
        | Fault::Conflict
        | Fault::DelegationMissing
        | Fault::Internal
        | Fault::Key(_)
        | Fault::Material(_)
        | Fault::Parameter(_)
        | Fault::Policy(_)
        | Fault::RateLimited { .. }
        | Fault::Route(_)
        | Fault::Unavailable
        | Fault::User(_) => common_words(fault, language),
    }
}

/// What a bad value is called; `None` where there is no word for it.
fn value_code(parameter: &str) -> Option<&'static str> {
    match parameter {
        "DeleteTags" => Some("InvalidParameterValue.DeleteTagsParamError"),
        "Resource" => Some("InvalidParameterValue.ResourceDescriptionError"),
        "ResourceIds" => Some("InvalidParameterValue.ResourceIdInvalid"),
        "ResourcePrefix" => Some("InvalidParameterValue.ResourcePrefixInvalid"),
        "ResourceRegion" => Some("InvalidParameterValue.RegionInvalid"),
        "ServiceType" => Some("InvalidParameterValue.ServiceTypeInvalid"),
        _ => None,
    }
}

fn value(code: &'static str, name: &str, language: Language) -> Words {
    let message = match (name, language) {
        ("DeleteTags", Language::Chinese) => "DeleteTags 中不能包含 ReplaceTags 中的标签键。".to_owned(),
        ("DeleteTags", Language::English) => "DeleteTags must not contain keys of ReplaceTags.".to_owned(),
        (name, Language::Chinese) => format!("参数 `{name}` 的取值不合法。"),
        (name, Language::English) => format!("The value of the parameter `{name}` is not valid."),
    };
    Words { code, message: Cow::Owned(message) }
}

fn tag(fault: TagFault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        TagFault::ActionInvalid => say(
            "UnsupportedOperation",
            "The tags of this kind of resource cannot be changed: users carry no tags yet.",
            "暂不支持修改该类资源的标签：用户暂不支持标签。",
        ),
        TagFault::DuplicateKey => say(
            "InvalidParameterValue.TagKeyDuplicate",
            "A tag key stands twice in the request.",
            "标签键重复。",
        ),
        TagFault::KeyEmpty => {
            say("InvalidParameterValue.TagKeyEmpty", "A tag key must not be empty.", "标签键不能为空值。")
        }
        TagFault::KeyInvalid => say(
            "InvalidParameterValue.TagKeyCharacterIllegal",
            "A tag key has a character that is not allowed.",
            "标签键包含非法字符。",
        ),
        TagFault::KeyTooLong => say(
            "InvalidParameterValue.TagKeyLengthExceeded",
            "A tag key is too long.",
            "标签键长度超过限制。",
        ),
        TagFault::Limit => say(
            "LimitExceeded.ResourceAttachedTags",
            "The resource has as many tags as it may have.",
            "资源关联的标签数超过上限。",
        ),
        TagFault::ListEmpty => say(
            "InvalidParameter.Tag",
            "ReplaceTags or DeleteTags must be given, and neither may be empty.",
            "ReplaceTags 和 DeleteTags 至少须存在其一，且不能为空数组。",
        ),
        TagFault::ListTooLong => say(
            "LimitExceeded.TagNumPerRequest",
            "Too many tags in one request.",
            "单次请求的标签数超过上限。",
        ),
        TagFault::MatchKeyInvalid | TagFault::MatchValueInvalid | TagFault::TooManyValues => {
            say("InvalidParameterValue.TagFilters", "The tag filter is not valid.", "TagFilters 参数错误。")
        }
        TagFault::NotFound => say(
            "ResourceNotFound.AttachedTagKeyNotFound",
            "The resource has no tag of this key.",
            "资源没有关联该标签键。",
        ),
        TagFault::OffsetInvalid => {
            say("InvalidParameterValue.OffsetInvalid", "The offset is not valid.", "offset 参数错误。")
        }
        TagFault::PageLimitInvalid => {
            say("InvalidParameterValue", "The limit is not valid.", "limit 参数错误。")
        }
        TagFault::ValueInvalid => say(
            "InvalidParameterValue.TagValueCharacterIllegal",
            "A tag value has a character that is not allowed.",
            "标签值包含非法字符。",
        ),
        TagFault::ValueTooLong => say(
            "InvalidParameterValue.TagValueLengthExceeded",
            "A tag value is too long.",
            "标签值长度超过限制。",
        ),
    }
}
