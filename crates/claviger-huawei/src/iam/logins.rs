//! Logins of tests.

use serde_json::{Value, json};

use crate::testing::{Ask, access_key};

/// By the name of an account and of its user.
pub(super) fn by_password(account: &str, user: &str, password: &str) -> Value {
    by_user(&json!({"name": user, "password": password, "domain": {"name": account}}))
}

/// By `auth.identity.password.user`.
pub(super) fn by_user(user: &Value) -> Value {
    json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}})
}

/// By the id of an access key and its secret.
pub(super) fn by_secret(id: &str, secret: &str) -> Value {
    let pair = json!({"access": {"key": id}, "secret": {"key": secret}});
    json!({"auth": {"identity": {"methods": ["hw_ak_sk"], "hw_ak_sk": pair}}})
}

/// By the access key of that name.
pub(super) fn by_access_key(name: &str) -> Value {
    let (id, secret) = access_key(name);
    by_secret(&id, &secret)
}

/// By another token.
pub(super) fn by_token(token: &str) -> Value {
    json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}}}})
}

/// The same for a scope.
pub(super) fn scoped(mut login: Value, scope: Value) -> Value {
    login["auth"]["scope"] = scope;
    login
}

/// The request for a token.
pub(super) fn login(body: &Value) -> Ask {
    Ask::post("/v3/auth/tokens", body).anonymous()
}

/// The request for a token that is kept under a name.
pub(super) fn kept(name: &str, body: &Value) -> Ask {
    login(body).keep_header(name, "x-subject-token")
}
