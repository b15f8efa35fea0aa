//! `UnbindCloudResource`: takes a binding away. It must be there: this call is not idempotent, as the vendor's error list says.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::records::at::Held;
use claviger_core::{Cx, Fault, Permission};

use super::bind_cloud_resource::Binding;
use super::one_key::key_id;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "UnbindCloudResource",
    permission: Permission::KeyUnbind,
    rate: 100,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let binding: Binding = parse(request)?;
    let id = key_id(binding.key())?;
    let (product, resource) = binding.names()?;
    let mut edit = cx.edit(id).await?;
    edit.unbind(Held::ByResource, product, resource).await?;
    edit.commit().await?;
    Ok(Reply::nothing())
}
