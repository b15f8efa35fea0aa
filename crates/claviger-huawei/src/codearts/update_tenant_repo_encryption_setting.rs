//! `PUT …/setting`: says how the tenant's repositories are encrypted.

use claviger_api::{Action, Reply, Request, params};
use claviger_core::delegation::SettingChange;
use claviger_core::fault::{AuthenticationFault, KeyFault};
use claviger_core::{Cx, Fault, KeyId, Permission};
use serde::Deserialize;

use crate::codearts::setting::{Shown, suits};
use crate::codearts::write;
use crate::codearts::{SERVICE, tenant};
use crate::iam::STYLE;

pub(super) const ACTION: Action = write(
    "UpdateTenantRepoEncryptionSetting",
    Permission::SettingUpdate,
    "https://support.huaweicloud.com/intl/en-us/api-codeartsrepo/UpdateTenantRepoEncryptionSetting.html",
);

/// What clients send beside these, such as `cmk_key_name`, `id` or `key_state`, they read from us: it is taken and not used.
#[derive(Debug, Deserialize)]
struct Ask {
    tenant_id: Option<String>,
    encryption_type: Option<String>,
    default_encryption_enabled: Option<bool>,
    cmk_key_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EncryptionType {
    Kms,
    Normal,
}

/// 200 with the setting as it is now; what is absent stays as it is.
///
/// `KMS` needs the grant and an enabled symmetric key of the tenant that the caller may bind, named here or before; the service
/// then holds it. `normal` releases it, and with it goes encryption by default; a key named beside `normal` is not used, so
/// that a client may send back what it read with only the type changed. A key or encryption by default without `KMS`, said
/// here or before, is refused.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let tenant_id = tenant::own(cx, request)?;
    let ask: Ask = params::json(&request.incoming.body, STYLE)?;
    if ask.tenant_id.as_ref().is_some_and(|named| *named != tenant_id.to_string()) {
        return Err(AuthenticationFault::WrongScope.into());
    }
    let ring = cx.ring().await?;
    let held = cx.setting(&ring, SERVICE).await?.and_then(|(setting, _)| setting.key);
    // Only what is asked of a key comes from this early look: whether it suits never changes, and a key that is held was asked
    // before. What is changed is decided below, on the setting as it is when it is changed.
    if let Some(Some(id)) = ask.change(held)?.key
        && held != Some(id)
    {
        let key = cx.key_as(id, Permission::KeyBind).await?;
        if !suits(key.record().spec) {
            return Err(KeyFault::SpecInvalid.into());
        }
    }
    let changed = cx.change_setting(&ring, SERVICE, |now| ask.change(now.key)).await?;
    Ok(Reply::json(&Shown::new(cx, tenant_id, Some(changed))))
}

impl Ask {
    /// What is to change, given the key that is held now. A key that is not named is not named in the change either: naming the
    /// held one would undo a change of it in the meantime.
    fn change(&self, held: Option<KeyId>) -> Result<SettingChange, Fault> {
        let given = self.encryption_type()?;
        let now = if held.is_some() { EncryptionType::Kms } else { EncryptionType::Normal };
        let key = self.key()?;
        let by_default = self.default_encryption_enabled;
        match given.unwrap_or(now) {
            EncryptionType::Kms => {
                if key.or(held).is_none() {
                    return Err(Fault::missing("cmk_key_id"));
                }
                Ok(SettingChange { key: key.map(Some), by_default })
            }
            EncryptionType::Normal if given.is_none() && (key.is_some() || by_default == Some(true)) => {
                Err(Fault::missing("encryption_type"))
            }
            EncryptionType::Normal => Ok(SettingChange { key: Some(None), by_default: Some(false) }),
        }
    }

    fn encryption_type(&self) -> Result<Option<EncryptionType>, Fault> {
        match self.encryption_type.as_deref() {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("KMS") => Ok(Some(EncryptionType::Kms)),
            Some(text) if text.eq_ignore_ascii_case("normal") => Ok(Some(EncryptionType::Normal)),
            Some(_) => Err(Fault::value("encryption_type")),
        }
    }

    fn key(&self) -> Result<Option<KeyId>, Fault> {
        match self.cmk_key_id.as_deref() {
            None => Ok(None),
            Some(id) => KeyId::parse(id).map(Some).ok_or(Fault::Key(KeyFault::MalformedId)),
        }
    }
}

#[cfg(test)]
mod tests {
    use claviger_core::KeyId;
    use serde_json::{Value, json};

    use crate::codearts::tenant::path;
    use crate::testing::{Ask, World, check};

    fn set(body: impl ToString) -> Ask {
        Ask::new("PUT", path("setting"), body)
    }

    fn granted() -> World {
        let mut world = World::new();
        world.send(&Ask::post(path("kms-grant"), ""));
        world
            .send(&Ask::kms("create-key", json!({"key_alias": "second"})).keep("second", "/key_info/key_id"));
        world
    }

    #[test]
    fn golden() {
        check(
            "codearts.UpdateTenantRepoEncryptionSetting",
            &[
                set(json!({"encryption_type": "KMS", "cmk_key_id": "{key}"})),
                Ask::post(path("kms-grant"), ""),
                set(json!({"encryption_type": "KMS", "cmk_key_id": "{key}"})),
                set(json!({"default_encryption_enabled": true, "cmk_key_name": "not its name"})),
                set(json!({"encryption_type": "KMS", "cmk_key_id": "{other_key}"})),
                set(json!({"encryption_type": "none"})),
                set(json!({"encryption_type": "Normal"})),
            ],
        );
    }

    #[test]
    fn a_key_that_is_not_named_is_not_changed() {
        let id = "0d0466b0-e727-4d9c-b35d-f84bb474a37f";
        let held = KeyId::parse(id);
        for (body, held, expected) in [
            (json!({"default_encryption_enabled": true}), held, Ok((None, Some(true)))),
            (json!({"encryption_type": "KMS"}), held, Ok((None, None))),
            (json!({}), held, Ok((None, None))),
            (json!({"cmk_key_id": id}), held, Ok((Some(held), None))),
            (json!({"encryption_type": "normal"}), held, Ok((Some(None), Some(false)))),
            (json!({"default_encryption_enabled": true}), None, Err(())),
            (json!({"encryption_type": "KMS"}), None, Err(())),
            (json!({"cmk_key_id": id}), None, Err(())),
        ] {
            let ask: super::Ask = serde_json::from_value(body.clone()).expect("a request");
            let change = ask.change(held).map(|change| (change.key, change.by_default));
            assert_eq!(change.map_err(drop), expected, "{body}");
        }
    }

    #[test]
    fn members_change_apart() {
        let mut world = granted();
        let shown = |kind: &str, key: Option<&str>, by_default: bool| json!([kind, key, by_default]);
        for (name, body, expected) in [
            ("nothing", json!({}), shown("normal", None, false)),
            ("a key alone", json!({"cmk_key_id": "{key}"}), json!("400 CH.010001")),
            (
                "encryption by default alone",
                json!({"default_encryption_enabled": true}),
                json!("400 CH.010001"),
            ),
            ("KMS without a key", json!({"encryption_type": "KMS"}), json!("400 CH.010001")),
            (
                "KMS",
                json!({"encryption_type": "kms", "cmk_key_id": "{key}"}),
                shown("KMS", Some("{key}"), false),
            ),
            ("nothing", json!({}), shown("KMS", Some("{key}"), false)),
            ("by default", json!({"default_encryption_enabled": true}), shown("KMS", Some("{key}"), true)),
            ("KMS again", json!({"encryption_type": "KMS"}), shown("KMS", Some("{key}"), true)),
            ("another key", json!({"cmk_key_id": "{second}"}), shown("KMS", Some("{second}"), true)),
            (
                "not by default",
                json!({"default_encryption_enabled": "false"}),
                shown("KMS", Some("{second}"), false),
            ),
            ("own tenant", json!({"tenant_id": "{domain}"}), shown("KMS", Some("{second}"), false)),
            ("another tenant", json!({"tenant_id": "{other_domain}"}), json!("403 CH.004403")),
            ("another's key", json!({"cmk_key_id": "{other_key}"}), json!("400 CH.010001")),
            ("no key", json!({"cmk_key_id": "00000000-0000-4000-8000-000000000000"}), json!("400 CH.010001")),
            ("no id", json!({"cmk_key_id": "x"}), json!("400 CH.010001")),
            ("an empty id", json!({"cmk_key_id": ""}), json!("400 CH.010001")),
            ("no type", json!({"encryption_type": "AES"}), json!("400 CH.010001")),
            ("no truth", json!({"default_encryption_enabled": "perhaps"}), json!("400 CH.010001")),
            (
                "normal, with the rest as it was read",
                json!({"encryption_type": "NORMAL", "cmk_key_id": "{second}", "default_encryption_enabled": true}),
                shown("normal", None, false),
            ),
        ] {
            let answer = world.send(&set(&body));
            let seen = if answer.status == 200 {
                let all = answer.json();
                let member = |name: &str| all[name].clone();
                json!([member("encryption_type"), member("cmk_key_id"), member("default_encryption_enabled")])
            } else {
                json!(answer.outcome())
            };
            let expected: Value = match expected.pointer("/1").and_then(Value::as_str) {
                Some(key) => json!([expected[0], world.named(key.trim_matches(['{', '}'])), expected[2]]),
                None => expected,
            };
            assert_eq!(seen, expected, "{name}: {}", answer.body);
        }
        world.outcomes([(set("nonsense"), "400 CH.010001"), (set("[]"), "400 CH.010001")]);
    }

    #[test]
    fn a_held_key_stays_usable_until_it_is_released() {
        let mut world = granted();
        let disable = |key: &str| Ask::kms("disable-key", json!({"key_id": key}));
        let schedule =
            |key: &str| Ask::kms("schedule-key-deletion", json!({"key_id": key, "pending_days": "7"}));
        world.outcomes([(set(json!({"encryption_type": "KMS", "cmk_key_id": "{key}"})), "200")]);
        for ask in [disable("{key}"), schedule("{key}")] {
            assert!(world.send(&ask).status.is_client_error(), "{ask:?}");
        }
        world.outcomes([
            (set(json!({"cmk_key_id": "{second}"})), "200"),
            (disable("{key}"), "200"),
            (set(json!({"cmk_key_id": "{key}"})), "400 CH.010001"),
            (set(json!({"encryption_type": "normal"})), "200"),
            (schedule("{second}"), "200"),
            (set(json!({"encryption_type": "KMS", "cmk_key_id": "{second}"})), "400 CH.010001"),
        ]);
    }

    #[test]
    fn a_user_needs_permission_on_the_key() {
        let mut world = granted();
        let kms = json!({"encryption_type": "KMS", "cmk_key_id": "{key}"});
        world.outcomes([
            (set(&kms).signed_by("alice"), "403 CH.004403"),
            (set(&kms).signed_by("admin"), "200"),
            (set(json!({"default_encryption_enabled": true})).signed_by("alice"), "200"),
            (set(json!({"cmk_key_id": "{second}"})).signed_by("alice"), "403 CH.004403"),
            (set(json!({"encryption_type": "normal"})).signed_by("alice"), "403 CH.004403"),
            (Ask::get(path("setting")).signed_by("alice"), "202"),
        ]);
    }
}
