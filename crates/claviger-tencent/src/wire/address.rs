//! Where a request goes: service, version, action.

use std::borrow::Cow;

use claviger_api::Incoming;

use super::pairs::{Pairs, v1_pairs};

/// The services and the versions they have.
pub(crate) const VERSIONS: &[(&str, &str)] =
    &[("cam", "2019-01-16"), ("kms", "2019-01-18"), ("sts", "2018-08-13"), ("tag", "2018-08-13")];

/// Longest name that is repeated in a message.
const LABEL_CHARS: usize = 64;

/// What a request names.
#[derive(Debug, Default)]
pub(crate) struct Address<'a> {
    /// The service by host or scope, if it is one of ours.
    pub(crate) service: Option<&'static str>,
    /// The version.
    pub(crate) version: Option<Cow<'a, str>>,
    /// The action.
    pub(crate) action: Option<Cow<'a, str>>,
    /// The cloud region's name, if any.
    pub(crate) region: Option<Cow<'a, str>>,
}

impl<'a> Address<'a> {
    /// Reads the headers where the signature is in a header, and the signed parameters where it is one of them: never the
    /// headers of a request whose signature covers its parameters only.
    pub(crate) fn of(incoming: &'a Incoming) -> Self {
        let service = service_by_host(incoming).or_else(|| service_by_scope(incoming));
        if !incoming.headers.contains_key("authorization") {
            let pairs = v1_pairs(incoming);
            if !incoming.headers.contains_key("x-tc-action") || pairs.find("Signature").is_some() {
                let find = |name: &str| pairs.find(name).map(|value| Cow::Owned(value.to_owned()));
                return Self {
                    service,
                    version: find("Version"),
                    action: find("Action"),
                    region: find("Region").filter(|name| !name.is_empty()),
                };
            }
        }
        let header = |name| incoming.header(name).map(Cow::Borrowed);
        Self {
            service,
            version: header("x-tc-version"),
            action: header("x-tc-action"),
            region: header("x-tc-region").filter(|name| !name.is_empty()),
        }
    }
}

/// An action's name cut to a fit length.
pub(crate) fn action_label(name: &str) -> String {
    name.chars().take(LABEL_CHARS).collect()
}

/// The first label of the host, without a scheme that some clients put there.
pub(super) fn first_label(host: &str) -> &str {
    let host = host.split_once("://").map_or(host, |(_, rest)| rest);
    host.split('.').next().unwrap_or_default()
}

/// Whether a request is sent, by the cloud's own name of a host, to a product that is not served here.
pub(crate) fn is_for_another_product(incoming: &Incoming) -> bool {
    let host = incoming.uri.host().or_else(|| incoming.header("host")).unwrap_or_default();
    let name = host.split_once("://").map_or(host, |(_, rest)| rest).split(':').next().unwrap_or_default();
    name.ends_with(".tencentcloudapi.com") && ours(first_label(host)).is_none()
}

fn ours(name: &str) -> Option<&'static str> {
    VERSIONS.iter().find(|(service, _)| *service == name).map(|(service, _)| *service)
}

fn service_by_host(incoming: &Incoming) -> Option<&'static str> {
    let from_target = incoming.uri.host().and_then(|host| ours(first_label(host)));
    from_target.or_else(|| incoming.header("host").and_then(|host| ours(first_label(host))))
}

fn service_by_scope(incoming: &Incoming) -> Option<&'static str> {
    let credential = incoming.header("authorization")?.split_once("Credential=")?.1;
    ours(credential.split('/').nth(2)?)
}

impl Pairs {
    fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_does_not_redirect_signed_parameters() {
        let target = "/?Action=DescribeKey&Version=2019-01-18&Signature=x";
        let tampered = crate::testing::incoming("GET", target, &[("x-tc-action", "ScheduleKeyDeletion")], "");
        assert_eq!(Address::of(&tampered).action.as_deref(), Some("DescribeKey"));
    }

    #[test]
    fn hosts_name_services() {
        for (host, label) in [
            ("kms.tencentcloudapi.com", "kms"),
            ("http://127.0.0.1:7600", "127"),
            ("localhost:7600", "localhost:7600"),
            ("", ""),
        ] {
            assert_eq!(first_label(host), label);
        }
        for (host, another) in [
            ("cvm.tencentcloudapi.com", true),
            ("cvm.ap-guangzhou.tencentcloudapi.com:443", true),
            ("kms.tencentcloudapi.com", false),
            ("kms.internal.tencentcloudapi.com", false),
            ("127.0.0.1:7600", false),
            ("cvm.example.org", false),
        ] {
            let incoming = crate::testing::incoming("POST", "/", &[("host", host)], "");
            assert_eq!(is_for_another_product(&incoming), another, "{host}");
        }
        assert_eq!(ours("kms"), Some("kms"));
        assert_eq!(ours("cvm"), None);
    }
}
