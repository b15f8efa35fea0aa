//! What every service says alike: <https://cloud.tencent.com/document/api/1030/31966>.

use std::borrow::Cow;

use claviger_core::Fault;
use claviger_core::fault::{AuthenticationFault, ParameterFault, ParameterProblem, RouteFault};

use super::answer::{Language, Words};

/// The common words for a fault. A fault that a service should have put into its own words becomes an internal error.
pub(crate) fn common_words(fault: &Fault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        Fault::Authentication(fault) => authentication(*fault, language),
        Fault::BodyTooLarge { .. } => {
            say("RequestSizeLimitExceeded", "The request body is too large.", "请求包超过限制大小。")
        }
        Fault::Parameter(fault) => parameter(fault, language),
        Fault::PermissionDenied { .. } => say(
            "AuthFailure.UnauthorizedOperation",
            "You are not authorized to perform this operation.",
            "请求未授权。",
        ),
        Fault::RateLimited { limit } => rate(*limit, language),
        Fault::Route(fault) => route(fault, language),
        Fault::Unavailable | Fault::Conflict => say(
            "ServiceUnavailable",
            "The service is temporarily unavailable. Try again later.",
            "当前服务暂时不可用，请稍后重试。",
        ),
        Fault::AccessKey(_)
        | Fault::Alias(_)
        | Fault::Cipher(_)
        | Fault::DelegationMissing
        | Fault::Internal
        | Fault::Key(_)
        | Fault::Material(_)
        | Fault::Policy(_)
        | Fault::Tag(_)
        | Fault::User(_) => say("InternalError", "An internal error occurred.", "内部错误。"),
    }
}

fn authentication(fault: AuthenticationFault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        AuthenticationFault::Malformed | AuthenticationFault::Missing => say(
            "AuthFailure.InvalidAuthorization",
            "The Authorization header of the request is missing or does not meet the standard.",
            "请求头部的 Authorization 不符合腾讯云标准。",
        ),
        AuthenticationFault::KeyUnknown | AuthenticationFault::PasswordWrong => say(
            "AuthFailure.SecretIdNotFound",
            "The SecretId is not found, please ensure that your SecretId is correct.",
            "密钥不存在，请检查您的 SecretId 是否正确。",
        ),
        AuthenticationFault::SignatureMismatch | AuthenticationFault::WrongScope => say(
            "AuthFailure.SignatureFailure",
            "The provided credentials could not be validated. Please check your signature is correct.",
            "请求签名验证失败，请检查您的签名计算是否正确。",
        ),
        AuthenticationFault::Skewed => say(
            "AuthFailure.SignatureExpire",
            "The signature is expired: the timestamp must be within five minutes of the server's time.",
            "签名过期：时间戳与服务器时间相差不得超过五分钟。",
        ),
        AuthenticationFault::TokenExpired | AuthenticationFault::TokenInvalid => {
            say("AuthFailure.TokenFailure", "The token is invalid or expired.", "token 错误或已过期。")
        }
    }
}

fn parameter(fault: &ParameterFault, language: Language) -> Words {
    let name = &fault.name;
    let (code, english, chinese) = match &fault.problem {
        ParameterProblem::Missing => (
            "MissingParameter",
            format!("The request is missing a required parameter `{name}`."),
            format!("缺少必要参数 `{name}`。"),
        ),
        ParameterProblem::Syntax => (
            "InvalidParameter",
            "The request body cannot be read: send a JSON object as application/json.".to_owned(),
            "请求体无法解析：请以 application/json 发送 JSON 对象。".to_owned(),
        ),
        // The known texts of the gateway; it names the wanted type only where that is not a matter of sign or size.
        ParameterProblem::Type("uint64") => {
            let text = format!("The value type of parameter `{name}` is not valid.");
            ("InvalidParameter", text.clone(), text)
        }
        ParameterProblem::Type(wanted) => {
            let text =
                format!("The value type of parameter `{name}` is not valid, input type should be `{wanted}`");
            ("InvalidParameter", text.clone(), text)
        }
        ParameterProblem::Unknown => {
            let text = format!("The parameter `{name}` is not recognized.");
            ("UnknownParameter", text.clone(), text)
        }
        ParameterProblem::Value => (
            "InvalidParameterValue",
            format!("The value specified in the parameter `{name}` is not valid."),
            format!("参数 `{name}` 的取值不合法。"),
        ),
    };
    let message = match language {
        Language::Chinese => chinese,
        Language::English => english,
    };
    Words { code, message: Cow::Owned(message) }
}

fn rate(limit: u32, language: Language) -> Words {
    let times = limit.saturating_add(1);
    let message = match language {
        Language::Chinese => {
            format!("您当前每秒请求 `{times}` 次，超过了每秒频率上限 `{limit}` 次，请稍后重试。")
        }
        Language::English => format!(
            "Your current request times equals to `{times}` in a second, which exceeds the frequency limit `{limit}` \
             for a second. Please reduce the frequency of calls."
        ),
    };
    Words { code: "RequestLimitExceeded", message: Cow::Owned(message) }
}

fn route(fault: &RouteFault, language: Language) -> Words {
    let say = |code, english, chinese| Words::say(language, code, english, chinese);
    match fault {
        RouteFault::ActionUnknown(name) => {
            Words { code: "InvalidAction", message: Cow::Owned(format!("The request action=`{name}`.")) }
        }
        RouteFault::MethodNotAllowed => say(
            "UnsupportedProtocol",
            "Only GET and POST are supported.",
            "HTTP(S) 请求协议错误，只支持 GET 和 POST 请求。",
        ),
        RouteFault::RegionUnknown => {
            say("UnsupportedRegion", "The region is not supported by this API.", "接口不支持所传地域。")
        }
        RouteFault::ServiceUnknown => say("NoSuchProduct", "There is no such product.", "产品不存在。"),
        RouteFault::VersionUnknown => {
            say("NoSuchVersion", "There is no such version of the API.", "接口版本不存在。")
        }
    }
}
