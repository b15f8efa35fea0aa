//! The dialect: its routes, and which service's words answer a fault.

use std::borrow::Cow;

use claviger_api::{Access, Admitted, Answer, Dialect, Incoming, Reply, Request, Route, Running, Target};
use claviger_core::fault::{AuthenticationFault, RouteFault};
use claviger_core::{Authority, Fault};

use crate::wire::{self, Found, Router, Words};
use crate::{codearts, iam, kms};

/// What can be configured of the dialect.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How far the time in a signed request may be from ours, in seconds.
    pub signature_window_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { signature_window_seconds: wire::SIGNATURE_WINDOW_SECONDS }
    }
}

/// The Huawei Cloud dialect. It claims every request that reaches it, so it stands last among the dialects.
#[derive(Debug)]
pub struct Huawei {
    settings: Settings,
    router: Router,
}

impl Huawei {
    /// With settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings, router: Router::new(&services().collect::<Vec<_>>()) }
    }
}

/// The routes of all services.
fn services() -> impl Iterator<Item = &'static Route> {
    kms::ROUTES.iter().chain(iam::ROUTES).chain(codearts::ROUTES)
}

impl Dialect for Huawei {
    fn name(&self) -> &'static str {
        wire::DIALECT
    }

    fn routes(&self) -> Vec<&'static Route> {
        services().chain([&kms::METHOD_NOT_ALLOWED]).collect()
    }

    fn claims(&self, _: &Incoming) -> bool {
        true
    }

    fn route(&self, incoming: &Incoming) -> Result<Target, Fault> {
        match self.router.find(&incoming.method, incoming.path()) {
            Found::Route(route, captured) => Ok(Target { route, captured }),
            Found::OtherMethod if kms::has(incoming.path()) => {
                Ok(Target { route: &kms::METHOD_NOT_ALLOWED, captured: Vec::new() })
            }
            Found::OtherMethod => Err(RouteFault::MethodNotAllowed.into()),
            Found::Nothing => {
                let shown = incoming.path().chars().take(SHOWN_PATH_CHARS).collect();
                Err(RouteFault::ActionUnknown(shown).into())
            }
        }
    }

    fn admit<'a>(
        &'a self,
        authority: &'a Authority,
        target: &'a Target,
        request: &'a Request,
    ) -> Running<'a, Admitted> {
        Box::pin(wire::admit(authority, target, request, self.settings.signature_window_seconds))
    }

    fn request_id(&self, request: &Incoming) -> String {
        request.id.simple()
    }

    fn answer(&self, request: &Incoming, target: Option<&Target>, outcome: Result<Reply, &Fault>) -> Answer {
        wire::answer(request, outcome.map_err(|fault| words(target, fault)))
    }

    fn code(&self, target: Option<&Target>, fault: &Fault) -> Cow<'static, str> {
        Cow::Borrowed(words(target, fault).code)
    }
}

/// Longest path that a fault repeats, in characters.
const SHOWN_PATH_CHARS: usize = 128;

/// A fault in the words of whoever answers it: the gateway before a service is reached, else the service.
fn words(target: Option<&Target>, fault: &Fault) -> Words {
    let Some(target) = target else { return wire::gateway_words(fault) };
    let action = &target.route.action;
    if action.access == Access::Signed && before_the_service(fault) {
        return wire::gateway_words(fault);
    }
    match action.service {
        "codearts" => codearts::words(fault),
        "iam" => iam::words(fault),
        "kms" => kms::words(fault),
        // A test demands that every route is of one of these.
        _ => wire::gateway_words(fault),
    }
}

/// Whether the gateway refuses this before a service sees it: signatures that are not right, and too many requests. Tokens,
/// and that there are no credentials at all, are the services' to judge.
fn before_the_service(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::RateLimited { .. }
            | Fault::Authentication(
                AuthenticationFault::KeyUnknown
                    | AuthenticationFault::Malformed
                    | AuthenticationFault::SignatureMismatch
                    | AuthenticationFault::Skewed
            )
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_route_is_of_a_service_and_has_its_own_name_and_golden_file() {
        let goldens = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
        let mut names = HashSet::new();
        for route in services() {
            let action = &route.action;
            let name = format!("{}.{}", action.service, action.name);
            assert!(["codearts", "iam", "kms"].contains(&action.service), "{name}");
            assert!(names.insert(name.clone()), "{name} is there twice");
            assert!(
                std::path::Path::new(&format!("{goldens}/{name}.txt")).exists(),
                "{name} has no golden file"
            );
        }
        let files = std::fs::read_dir(goldens).expect("the folder of golden files").count();
        assert_eq!(files, names.len(), "one golden file per route and no others");
    }
}
