//! Who calls, and for which region: what every signed action of this cloud asks before it runs.

use claviger_api::{Access, Admitted, Incoming, Request, Target};
use claviger_core::fault::AuthenticationFault;
use claviger_core::records::HexName;
use claviger_core::{Authority, Caller, Fault, HexId, RegionId, Scope};

use crate::wire::canonical::once;
use crate::wire::signature;

/// How far the time in a signed request may be from ours, unless configured otherwise.
pub(crate) const SIGNATURE_WINDOW_SECONDS: u64 = signature::WINDOW_SECONDS;

/// Admits a request. An open action gets no caller: it checks the credentials in its body itself, or needs none.
pub(crate) async fn admit(
    authority: &Authority,
    target: &Target,
    request: &Request,
    window_seconds: u64,
) -> Result<Admitted, Fault> {
    if target.route.action.access == Access::Open {
        return Ok(Admitted { caller: None, region: authority.regions().first().id.clone() });
    }
    let incoming = &request.incoming;
    let (caller, project_header) =
        authenticate(authority, incoming, target.route.action.service, window_seconds).await?;
    let region = match addressed_project(target, request) {
        Some(project) => {
            // A signed request may say in a header for which project it is. It is never believed, only compared: whoever
            // sends two different projects is refused.
            if project_header.value.is_some_and(|header| header != project.as_bytes()) {
                return Err(AuthenticationFault::WrongScope.into());
            }
            own_project(authority, &caller, project).await?
        }
        None => region_without_project(authority, &caller, project_header).await?,
    };
    let fits = match &caller.scope {
        Scope::Everything => true,
        Scope::Project(of) => *of == region,
        // A token for the account is good for what is in no project.
        Scope::Account => addressed_project(target, request).is_none(),
    };
    if !fits {
        return Err(AuthenticationFault::WrongScope.into());
    }
    Ok(Admitted { caller: Some(caller), region })
}

/// The `X-Project-Id` header of a signed request.
struct ProjectHeader<'a> {
    value: Option<&'a [u8]>,
    signed: bool,
}

/// Who calls. With both a token and a signature the token decides if it is good; if it is not, the signature does, because
/// clients that sign keep sending the token they once had.
async fn authenticate<'a>(
    authority: &Authority,
    incoming: &'a Incoming,
    service: &str,
    window_seconds: u64,
) -> Result<(Caller, ProjectHeader<'a>), Fault> {
    let token = once(&incoming.headers, "x-auth-token")?;
    let signed = incoming.headers.contains_key("authorization");
    let by_token = match token {
        Some(token) => by_token(authority, token).await,
        None => Err(AuthenticationFault::Missing.into()),
    };
    match by_token {
        Err(Fault::Authentication(_)) if signed => {}
        outcome => return outcome.map(|caller| (caller, ProjectHeader { value: None, signed: false })),
    }
    let signed = signature::verify(authority, incoming, service, window_seconds).await?;
    let value = once(&incoming.headers, "x-project-id")?.filter(|value| !value.is_empty());
    Ok((authority.caller(signed.proof).await?, ProjectHeader { value, signed: signed.project_is_signed }))
}

async fn by_token(authority: &Authority, token: &[u8]) -> Result<Caller, Fault> {
    let invalid = || Fault::Authentication(AuthenticationFault::TokenInvalid);
    let token = std::str::from_utf8(token).map_err(|_| invalid())?;
    let proof = authority.prove_by_token(token).await?;
    // A user that went away since leaves a token of nobody.
    authority.caller(proof).await.map_err(|fault| match fault {
        Fault::Authentication(_) => invalid(),
        fault => fault,
    })
}

/// The project that the path names, if its pattern has one.
fn addressed_project<'r>(target: &Target, request: &'r Request) -> Option<&'r str> {
    let (before, _) = target.route.at.split_once("{project_id}")?;
    Some(request.captured(before.matches('{').count()))
}

/// The region behind a project, which must be the caller's. Somebody else's is as unknown as one that is not.
async fn own_project(authority: &Authority, caller: &Caller, project: &str) -> Result<RegionId, Fault> {
    let wrong = || Fault::Authentication(AuthenticationFault::WrongScope);
    let id = HexId::parse(project).ok_or_else(wrong)?;
    match authority.hex(id).await?.as_deref() {
        Some(HexName::Project(account, region)) if *account == caller.account.id => Ok(region.clone()),
        _ => Err(wrong()),
    }
}

/// The region of a request whose path names no project: the token's, or that of the project a signed request names under its
/// signature, or our first.
async fn region_without_project(
    authority: &Authority,
    caller: &Caller,
    header: ProjectHeader<'_>,
) -> Result<RegionId, Fault> {
    if let Scope::Project(region) = &caller.scope {
        return Ok(region.clone());
    }
    match header.value.filter(|_| header.signed) {
        Some(project) => own_project(authority, caller, &String::from_utf8_lossy(project)).await,
        None => Ok(authority.regions().first().id.clone()),
    }
}
