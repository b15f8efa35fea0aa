//! The token that a request is about, in `X-Subject-Token`.

use std::sync::Arc;

use claviger_api::Request;
use claviger_core::fault::UserFault;
use claviger_core::records::{Account, User};
use claviger_core::token::{self, Claims};
use claviger_core::{Cx, Fault};

use crate::iam::token::SUBJECT;

/// A token that the caller may examine and revoke.
pub(super) struct Subject<'a> {
    /// The token itself.
    pub(super) token: &'a str,
    /// What it says.
    pub(super) claims: Claims,
    /// Whose account.
    pub(super) account: Arc<Account>,
    /// Whose.
    pub(super) user: Arc<User>,
}

/// Loads it. The root user may act on every token of the account, others on their own. One that is expired, revoked, of another
/// account or of nobody cannot be told apart.
pub(super) async fn load<'a>(cx: &Cx<'_>, request: &'a Request) -> Result<Subject<'a>, Fault> {
    let granted = cx.account().await?;
    let unknown = || Fault::User(UserFault::NotFound);
    let token = request.incoming.header(SUBJECT).ok_or(Fault::missing("X-Subject-Token"))?;
    // What is wrong with this token is not what would be wrong with the caller's.
    let hidden = |fault| if matches!(fault, Fault::Authentication(_)) { unknown() } else { fault };
    let claims = cx.authority.read_token(token).await.map_err(hidden)?;
    let (account, user) = token::subject(cx.authority, &claims).await.map_err(hidden)?;
    if account.id != granted.id {
        return Err(unknown());
    }
    let resource = format!("user/{}", user.id.0);
    cx.touch(|| resource.clone());
    let caller = &cx.caller()?.user;
    if !caller.is_root() && caller.id != user.id {
        return Err(Fault::PermissionDenied { permission: cx.permission(), resource });
    }
    Ok(Subject { token, claims, account, user })
}
