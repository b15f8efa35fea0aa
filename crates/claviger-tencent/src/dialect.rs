//! The dialect: one table of all services' routes, and the translation at its edges.

use std::borrow::Cow;
use std::collections::HashMap;

use claviger_api::{
    Access, Action, Admitted, Answer, Dialect, Effect, Incoming, Reply, Request, Route, Running, Target,
};
use claviger_core::fault::RouteFault;
use claviger_core::{Authority, Fault, Permission};
use hyper::Method;

use crate::wire::{
    Address, Language, StrictScope, VERSIONS, Words, action_label, authenticate, common_words, envelope,
    is_for_another_product, language,
};
use crate::{cam, kms, sts, tag};

/// How strict the dialect is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Whether a signature's scope must name the service itself. Some SDKs name the first label of the endpoint's host instead,
    /// which is `127` for an IP address; in production, where hosts have names, that need not be let through.
    pub strict_scope: bool,
}

/// The Tencent Cloud dialect.
pub struct Tencent {
    strict: StrictScope,
    routes: HashMap<(&'static str, &'static str), &'static Route>,
}

const SERVICES: [&[Route]; 4] = [cam::ROUTES, kms::ROUTES, sts::ROUTES, tag::ROUTES];

/// Answers that an action is unknown, after the signature was found right: who is not known learns nothing.
static UNKNOWN: Route = Route {
    action: Action {
        service: "tencent",
        name: "Unknown",
        permission: Permission::VersionRead,
        rate: 100,
        effect: Effect::Reads,
        access: Access::Signed,
        reference: "https://cloud.tencent.com/document/api/1030/31966",
    },
    at: "",
    run: |_, request| Box::pin(async move { Err(unknown_action(&request.incoming).into()) }),
};

impl Tencent {
    /// The dialect.
    pub fn new(settings: Settings) -> Self {
        let routes = SERVICES.iter().flat_map(|routes| routes.iter());
        Self {
            strict: if settings.strict_scope { StrictScope::Enforced } else { StrictScope::Relaxed },
            routes: routes.map(|route| ((route.action.service, route.action.name), route)).collect(),
        }
    }

    fn find(&self, address: &Address<'_>) -> Option<&'static Route> {
        let (version, action) = (address.version.as_deref()?, address.action.as_deref()?);
        let mut services = VERSIONS.iter().filter(|(service, has)| {
            *has == version && address.service.is_none_or(|named| named == *service)
        });
        services.find_map(|(service, _)| self.routes.get(&(*service, action)).copied())
    }
}

fn unknown_action(incoming: &Incoming) -> RouteFault {
    let address = Address::of(incoming);
    let action = action_label(address.action.as_deref().unwrap_or_default());
    let service = address.service.unwrap_or("kms");
    let version = action_label(address.version.as_deref().unwrap_or_default());
    RouteFault::ActionUnknown(format!(
        "{action}` is invalid or not found in service=`{service}` and version=`{version}"
    ))
}

impl Dialect for Tencent {
    fn name(&self) -> &'static str {
        "tencent"
    }

    fn routes(&self) -> Vec<&'static Route> {
        self.routes.values().copied().chain([&UNKNOWN]).collect()
    }

    fn claims(&self, incoming: &Incoming) -> bool {
        let authorization = incoming.header("authorization").unwrap_or_default();
        incoming.headers.contains_key("x-tc-action")
            || authorization.starts_with("TC3-")
            || incoming.query().split('&').any(|pair| pair.starts_with("Action="))
            || (incoming.path() == "/" && incoming.method != Method::GET)
    }

    fn route(&self, incoming: &Incoming) -> Result<Target, Fault> {
        if incoming.method != Method::GET && incoming.method != Method::POST {
            return Err(RouteFault::MethodNotAllowed.into());
        }
        if is_for_another_product(incoming) {
            return Err(RouteFault::ServiceUnknown.into());
        }
        let address = Address::of(incoming);
        if address.action.as_deref().unwrap_or_default().is_empty() {
            return Err(Fault::missing("Action"));
        }
        if address.version.as_deref().unwrap_or_default().is_empty() {
            return Err(Fault::missing("Version"));
        }
        let route = self.find(&address).unwrap_or(&UNKNOWN);
        Ok(Target { route, captured: Vec::new() })
    }

    fn admit<'a>(
        &'a self,
        authority: &'a Authority,
        target: &'a Target,
        request: &'a Request,
    ) -> Running<'a, Admitted> {
        Box::pin(async move {
            let incoming = &request.incoming;
            let service = target.route.action.service;
            let signed_service = if std::ptr::eq(target.route, &raw const UNKNOWN) {
                Address::of(incoming).service.unwrap_or("kms")
            } else {
                service
            };
            let caller = authenticate(authority, incoming, signed_service, self.strict).await?;
            let regions = authority.regions();
            let region = match Address::of(incoming).region {
                // Users and tokens have no region; whatever is named there is not looked at.
                Some(name) if service == "kms" || service == "tag" => {
                    regions.answering(self.name(), &name).ok_or(Fault::Route(RouteFault::RegionUnknown))?
                }
                Some(_) | None => regions.first(),
            };
            Ok(Admitted { caller: Some(caller), region: region.id.clone() })
        })
    }

    fn answer(&self, request: &Incoming, target: Option<&Target>, outcome: Result<Reply, &Fault>) -> Answer {
        let outcome = match outcome {
            Ok(reply) => Ok(reply.body),
            Err(fault) => Err(words(target, fault, language(request)).with_request_id(request)),
        };
        envelope(request, outcome)
    }

    fn code(&self, target: Option<&Target>, fault: &Fault) -> Cow<'static, str> {
        Cow::Borrowed(words(target, fault, Language::English).code)
    }
}

/// A fault in the words of the service that the request was for.
fn words(target: Option<&Target>, fault: &Fault, language: Language) -> Words {
    let (service, action) =
        target.map_or(("", ""), |target| (target.route.action.service, target.route.action.name));
    match service {
        "cam" => cam::words(action, fault, language),
        "kms" => kms::words(action, fault, language),
        "sts" => sts::words(fault, language),
        "tag" => tag::words(fault, language),
        _ => common_words(fault, language),
    }
}

impl Words {
    /// Refusals of permission carry the request's id in their text.
    fn with_request_id(mut self, request: &Incoming) -> Self {
        if self.code.ends_with("UnauthorizedOperation") {
            let id = request.id.hyphenated();
            self.message = Cow::Owned(format!("[request id:{id}]{}", self.message));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::incoming;

    #[test]
    fn tables_are_sorted_and_names_are_unique() {
        for routes in SERVICES {
            let names: Vec<_> = routes.iter().map(|route| route.action.name).collect();
            assert!(names.windows(2).all(|pair| pair.first() < pair.last()), "{names:?}");
        }
        assert_eq!(
            SERVICES.iter().map(|routes| routes.len()).sum::<usize>(),
            Tencent::new(Settings::default()).routes.len()
        );
    }

    #[test]
    fn requests_find_their_action() {
        let tencent = Tencent::new(Settings::default());
        for (host, version, action, found) in [
            ("kms.tencentcloudapi.com", "2019-01-18", "Encrypt", "kms.Encrypt"),
            ("127.0.0.1:7600", "2019-01-18", "Encrypt", "kms.Encrypt"),
            ("http://127.0.0.1:7600", "2018-08-13", "GetCallerIdentity", "sts.GetCallerIdentity"),
            ("127.0.0.1", "2018-08-13", "ModifyResourceTags", "tag.ModifyResourceTags"),
            ("cam.tencentcloudapi.com", "2019-01-18", "Encrypt", "tencent.Unknown"),
            ("kms.tencentcloudapi.com", "2019-01-18", "encrypt", "tencent.Unknown"),
        ] {
            let headers = [("host", host), ("x-tc-version", version), ("x-tc-action", action)];
            let target = tencent.route(&incoming("POST", "/", &headers, "{}")).expect("a good address");
            let action = target.route.action;
            assert_eq!(format!("{}.{}", action.service, action.name), found, "{host}");
        }
    }
}
