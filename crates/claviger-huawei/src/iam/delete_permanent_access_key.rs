//! `DELETE /v3.0/OS-CREDENTIAL/credentials/{access_key}`: deletes an access key.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use hyper::StatusCode;

use crate::iam::credential;
use crate::iam::write;

pub(super) const ACTION: Action = write(
    "DeletePermanentAccessKey",
    Permission::AccessKeyDelete,
    "https://support.huaweicloud.com/intl/en-us/api-iam/iam_03_0005.html",
);

/// 204.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let id = request.captured(0);
    let owner = credential::owner_of(cx, id).await?;
    cx.delete_access_key(&owner, id).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Ask, check};

    #[test]
    fn golden() {
        let delete = || Ask::delete("/v3.0/OS-CREDENTIAL/credentials/{alice_access_key}");
        check(
            "iam.DeletePermanentAccessKey",
            &[
                delete().signed_by("stranger"),
                delete().signed_by("alice"),
                delete(),
                delete(),
                Ask::get("/v3/auth/domains").signed_by("alice"),
            ],
        );
    }
}
