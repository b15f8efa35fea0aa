//! `BindCloudResource`: says that a resource of a product uses a key.
//!
//! While a key is bound it can neither be disabled nor deleted nor stripped of its material, and material that would expire no
//! longer does. Binding again changes nothing. The finance edition checks the signature alone; here the caller needs the
//! permission like for any other change of a key.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::records::at::Held;
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;

use super::one_key::key_id;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "BindCloudResource",
    permission: Permission::KeyBind,
    rate: 100,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

/// Longest `ProductId` and `ResourceId`, in bytes. No document names one.
const PRODUCT_BYTES: usize = 128;
const RESOURCE_BYTES: usize = 256;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
pub(super) struct Binding {
    key_id: String,
    product_id: String,
    resource_id: String,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let binding: Binding = parse(request)?;
    let id = key_id(&binding.key_id)?;
    let (product, resource) = binding.names()?;
    let mut edit = cx.edit(id).await?;
    edit.bind(Held::ByResource, product, resource).await?;
    edit.commit().await?;
    Ok(Reply::nothing())
}

impl Binding {
    /// The key that is named.
    pub(super) fn key(&self) -> &str {
        &self.key_id
    }

    /// The product and the resource, kept exactly as they are given.
    pub(super) fn names(&self) -> Result<(&str, &str), Fault> {
        let fits = |text: &str, most: usize| (1..=most).contains(&text.len()) && !text.contains('\0');
        if !fits(&self.product_id, PRODUCT_BYTES) {
            return Err(Fault::value("ProductId"));
        }
        if !fits(&self.resource_id, RESOURCE_BYTES) {
            return Err(Fault::value("ResourceId"));
        }
        Ok((&self.product_id, &self.resource_id))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_bound_key_stays_usable() {
        let world = World::new().await;
        let created = world.call("root", "kms", "CreateKey", &json!({"Alias": "a"})).await;
        let id = &created["KeyId"];
        let binding = json!({"KeyId": id, "ProductId": "ssm", "ResourceId": "r"});
        for (action, parameters, expected) in [
            ("BindCloudResource", binding.clone(), "ok"),
            ("BindCloudResource", binding.clone(), "ok"),
            ("DisableKey", json!({"KeyId": id}), "FailedOperation.CmkUsedByCloudProduct"),
            (
                "ScheduleKeyDeletion",
                json!({"KeyId": id, "PendingWindowInDays": 7}),
                "FailedOperation.CmkUsedByCloudProduct",
            ),
            ("UnbindCloudResource", binding.clone(), "ok"),
            ("UnbindCloudResource", binding.clone(), "ResourceUnavailable.CloudResourceBindingNotFound"),
            ("DisableKey", json!({"KeyId": id}), "ok"),
            ("BindCloudResource", binding.clone(), "ResourceUnavailable.CmkStateNotSupport"),
            (
                "BindCloudResource",
                json!({"KeyId": id, "ProductId": "", "ResourceId": "r"}),
                "InvalidParameter",
            ),
            (
                "BindCloudResource",
                json!({"KeyId": id, "ProductId": "p".repeat(129), "ResourceId": "r"}),
                "InvalidParameter",
            ),
            (
                "BindCloudResource",
                json!({"KeyId": id, "ProductId": "p", "ResourceId": "a\u{0}b"}),
                "InvalidParameter",
            ),
            (
                "BindCloudResource",
                json!({"KeyId": "x", "ProductId": "p", "ResourceId": "r"}),
                "InvalidParameterValue.InvalidKeyId",
            ),
            (
                "BindCloudResource",
                json!({"KeyId": "23e80852-1e38-11e9-b129-5cb9019b4b01", "ProductId": "p", "ResourceId": "r"}),
                "ResourceUnavailable.CmkNotFound",
            ),
            ("BindCloudResource", json!({"KeyId": id, "ProductId": "p"}), "MissingParameter"),
            (
                "BindCloudResource",
                json!({"KeyId": id, "ProductId": 1, "ResourceId": "r"}),
                "InvalidParameter",
            ),
        ] {
            assert_eq!(
                world.code("root", "kms", action, &parameters).await,
                expected,
                "{action} {parameters}"
            );
        }
        let foreign = world.code("stranger", "kms", "BindCloudResource", &binding).await;
        assert_eq!(foreign, "ResourceUnavailable.CmkNotFound");
    }

    #[tokio::test]
    async fn a_failing_engine_is_admitted() {
        use std::sync::atomic::Ordering;
        let world = World::new().await;
        let created = world.call("root", "kms", "CreateKey", &json!({"Alias": "a"})).await;
        let binding = json!({"KeyId": created["KeyId"], "ProductId": "ssm", "ResourceId": "r"});
        world.faults.refuse.store(true, Ordering::SeqCst);
        let code = world.code("root", "kms", "BindCloudResource", &binding).await;
        assert_eq!(code, "UnsupportedOperation.ServiceTemporaryUnavailable");
        world.faults.refuse.store(false, Ordering::SeqCst);
        world.faults.lose_answer.store(true, Ordering::SeqCst);
        assert_eq!(world.code("root", "kms", "BindCloudResource", &binding).await, "InternalError");
        world.faults.lose_answer.store(false, Ordering::SeqCst);
        assert_eq!(world.code("root", "kms", "BindCloudResource", &binding).await, "ok");
    }
}
