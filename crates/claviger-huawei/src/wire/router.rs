//! From a method and a path to a route.
//!
//! A pattern is a method and segments: a literal, `{name}` for one segment, and `{name...}` at the end for all that is left,
//! slashes included. Paths are split at literal slashes first and what is captured is percent-decoded once, after.
//!
//! What is left must not end in a literal slash: signatures do not tell `a` from `a/`, so the slash would not be the signer's.
//! One that is meant is written `%2F`.

use std::collections::HashMap;

use claviger_api::Route;
use hyper::Method;
use percent_encoding::percent_decode_str;

/// Where a method and path lead.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nowhere.
    Nothing,
    /// To a path that exists, with a method that it does not have.
    OtherMethod,
    /// To a route, with what its pattern captured.
    Route(&'static Route, Vec<String>),
}

/// All routes, by path.
#[derive(Debug, Default)]
pub(crate) struct Router {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<&'static str, Node>,
    capture: Option<Box<Node>>,
    /// Routes that take everything from here on as one capture.
    rest: Vec<(Method, &'static Route)>,
    /// Routes whose path ends here.
    ends: Vec<(Method, &'static Route)>,
}

impl Router {
    /// A router for these routes.
    ///
    /// # Panics
    /// If a pattern is not of the form above; patterns are constants, and a test builds the router.
    pub(crate) fn new<'a>(routes: impl IntoIterator<Item = &'a &'static Route>) -> Self {
        let mut all = Self::default();
        for route in routes {
            all.add(route);
        }
        all
    }

    fn add(&mut self, route: &'static Route) {
        let (method, path) = route.at.split_once(' ').expect("a pattern is a method, a space and a path");
        let method = Method::from_bytes(method.as_bytes()).expect("a pattern starts with a method");
        let mut node = &mut self.root;
        for segment in segments(path) {
            if segment.ends_with("...}") {
                node.rest.push((method, route));
                return;
            }
            node = if segment.starts_with('{') {
                node.capture.get_or_insert_default()
            } else {
                node.literals.entry(segment).or_default()
            };
        }
        node.ends.push((method, route));
    }

    /// Finds the route of a request. Literals win over captures; a trailing slash is let pass. A pattern of captures alone
    /// fits every path of its length, so it proves none of them to exist: with another method that is nothing.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Found {
        let Some(path) = path.strip_prefix('/') else { return Found::Nothing };
        let mut search = Search { method, captured: Vec::new(), literals: 0, other_method: false };
        match search.at(&self.root, Some(path)) {
            Some(route) => match search.captured.into_iter().map(decode).collect() {
                Some(captured) => Found::Route(route, captured),
                None => Found::Nothing,
            },
            None if search.other_method => Found::OtherMethod,
            None => Found::Nothing,
        }
    }
}

fn segments(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.strip_prefix('/')
        .expect("a path starts with a slash")
        .split('/')
        .filter(|segment| !segment.is_empty())
}

/// A captured segment decoded; what is not UTF-8 then is nobody's path.
fn decode(raw: &str) -> Option<String> {
    percent_decode_str(raw).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

struct Search<'p> {
    method: &'p Method,
    captured: Vec<&'p str>,
    /// How many literals led to the node that is looked at.
    literals: usize,
    /// Whether the path was found with other methods.
    other_method: bool,
}

impl<'p> Search<'p> {
    /// Looks for `left`, the part of the path after this node's slash; `None` where the path ends.
    fn at(&mut self, node: &Node, left: Option<&'p str>) -> Option<&'static Route> {
        let Some(left) = left.filter(|left| !left.is_empty()) else { return self.pick(&node.ends) };
        let (segment, after) = match left.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (left, None),
        };
        if let Some(next) = node.literals.get(segment) {
            self.literals += 1;
            if let Some(route) = self.at(next, after) {
                return Some(route);
            }
            self.literals -= 1;
        }
        let depth = self.captured.len();
        if let Some(next) = node.capture.as_ref().filter(|_| !segment.is_empty()) {
            self.captured.push(segment);
            if let Some(route) = self.at(next, after) {
                return Some(route);
            }
            self.captured.truncate(depth);
        }
        if node.rest.is_empty() || left.ends_with('/') {
            return None;
        }
        self.captured.push(left);
        let found = self.pick(&node.rest);
        if found.is_none() {
            self.captured.truncate(depth);
        }
        found
    }

    fn pick(&mut self, routes: &[(Method, &'static Route)]) -> Option<&'static Route> {
        let found = routes.iter().find(|(method, _)| method == self.method).map(|(_, route)| *route);
        let exists = self.literals > 0 || self.captured.is_empty();
        self.other_method |= exists && found.is_none() && !routes.is_empty();
        found
    }
}

#[cfg(test)]
mod tests {
    use claviger_api::{Access, Action, Effect, Reply};
    use claviger_core::Permission;

    use super::*;

    const fn route(at: &'static str) -> Route {
        let action = Action {
            service: "test",
            name: at,
            permission: Permission::VersionRead,
            rate: 1,
            effect: Effect::Reads,
            access: Access::Open,
            reference: "",
        };
        Route { action, at, run: |_, _| Box::pin(async { Ok(Reply::nothing()) }) }
    }

    static ROUTES: [Route; 9] = [
        route("GET /"),
        route("GET /{version}"),
        route("POST /v1.0/{project}/kms/list-keys"),
        route("GET /v1.0/{project}/kms/tags"),
        route("GET /v1.0/{project}/kms/{key_id}/tags"),
        route("POST /v1.0/{project}/kms/{key_id}/tags"),
        route("POST /v1.0/{project}/kms/{key_id}/tags/action"),
        route("DELETE /v1.0/{project}/kms/{key_id}/tags/{key...}"),
        route("POST /v1.0/{project}/kms/resource_instances/action"),
    ];

    #[test]
    fn paths_lead_to_routes() {
        let router = Router::new(&ROUTES.iter().collect::<Vec<_>>());
        for (request, expected) in [
            ("GET /", "GET / []"),
            ("GET /v1.0", r#"GET /{version} ["v1.0"]"#),
            ("GET /v1.0/", r#"GET /{version} ["v1.0"]"#),
            ("POST /", "other method"),
            ("POST /v1.0", "nothing"),
            ("POST /nothing", "nothing"),
            ("POST /v1.0/p/kms/list-keys", r#"POST /v1.0/{project}/kms/list-keys ["p"]"#),
            ("GET /v1.0/p/kms/list-keys", "other method"),
            ("POST /v1.0/p%20q/kms/list-keys", r#"POST /v1.0/{project}/kms/list-keys ["p q"]"#),
            ("POST /v1.0/p/kms/frobnicate", "nothing"),
            ("POST /v1.0//kms/list-keys", "nothing"),
            ("POST /v1.0/%ff/kms/list-keys", "nothing"),
            ("GET /v1.0/p/kms/tags", r#"GET /v1.0/{project}/kms/tags ["p"]"#),
            ("GET /v1.0/p/kms/k/tags", r#"GET /v1.0/{project}/kms/{key_id}/tags ["p", "k"]"#),
            ("GET /v1.0/p/kms/tags/tags", r#"GET /v1.0/{project}/kms/{key_id}/tags ["p", "tags"]"#),
            ("POST /v1.0/p/kms/k%2Ftags", "nothing"),
            ("PUT /v1.0/p/kms/k/tags", "other method"),
            ("POST /v1.0/p/kms/k/tags/action", r#"POST /v1.0/{project}/kms/{key_id}/tags/action ["p", "k"]"#),
            (
                "POST /v1.0/p/kms/resource_instances/action",
                r#"POST /v1.0/{project}/kms/resource_instances/action ["p"]"#,
            ),
            ("POST /v1.0/p/kms/k/action", "nothing"),
            ("DELETE /v1.0/p/kms/k/tags", "other method"),
            ("DELETE /v1.0/p/kms/k/tags/", "other method"),
            (
                "DELETE /v1.0/p/kms/k/tags/action",
                r#"DELETE /v1.0/{project}/kms/{key_id}/tags/{key...} ["p", "k", "action"]"#,
            ),
            (
                "DELETE /v1.0/p/kms/k/tags/a/b",
                r#"DELETE /v1.0/{project}/kms/{key_id}/tags/{key...} ["p", "k", "a/b"]"#,
            ),
            (
                "DELETE /v1.0/p/kms/k/tags/a%2Fb",
                r#"DELETE /v1.0/{project}/kms/{key_id}/tags/{key...} ["p", "k", "a/b"]"#,
            ),
            (
                "DELETE /v1.0/p/kms/k/tags/a%2F",
                r#"DELETE /v1.0/{project}/kms/{key_id}/tags/{key...} ["p", "k", "a/"]"#,
            ),
            ("DELETE /v1.0/p/kms/k/tags//", "nothing"),
            ("DELETE /v1.0/p/kms/k/tags/a/", "nothing"),
            ("DELETE /v1.0/p/kms/k/tags/a//", "nothing"),
            ("DELETE /v1.0/p/kms/k/tags/a%2F/", "nothing"),
            (
                "DELETE /v1.0/p/kms/k/tags/%252F",
                r#"DELETE /v1.0/{project}/kms/{key_id}/tags/{key...} ["p", "k", "%2F"]"#,
            ),
            (
                "DELETE /v1.0/p/kms/k/tags/100%",
                r#"DELETE /v1.0/{project}/kms/{key_id}/tags/{key...} ["p", "k", "100%"]"#,
            ),
            ("GET *", "nothing"),
        ] {
            let (method, path) = request.split_once(' ').expect("a method and a path");
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let found = match router.find(&method, path) {
                Found::Nothing => "nothing".to_owned(),
                Found::OtherMethod => "other method".to_owned(),
                Found::Route(route, captured) => format!("{} {captured:?}", route.at),
            };
            assert_eq!(found, expected, "{request}");
        }
    }
}
