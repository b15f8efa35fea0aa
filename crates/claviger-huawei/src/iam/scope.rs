//! What a token is to be good for.

use claviger_core::fault::UserFault;
use claviger_core::records::Account;
use claviger_core::{Authority, Fault};
use serde::Deserialize;

use crate::iam::identity::Domain;
use crate::iam::project::Project;

/// `auth.scope`. A project wins over an account; nothing at all means the account.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Scope {
    project: Option<ProjectScope>,
    domain: Option<Domain>,
}

#[derive(Debug, Deserialize)]
struct ProjectScope {
    id: Option<String>,
    name: Option<String>,
    domain: Option<Domain>,
}

impl Scope {
    /// The project asked for; none for the account. What belongs to another account is as unknown as what is not there.
    pub(super) fn resolve(&self, authority: &Authority, account: &Account) -> Result<Option<Project>, Fault> {
        let Some(project) = &self.project else {
            return match &self.domain {
                Some(domain) => own(domain, account, "auth.scope.domain.id").map(|()| None),
                None => Ok(None),
            };
        };
        if let Some(domain) = &project.domain {
            own(domain, account, "auth.scope.project.domain.id")?;
        }
        let found = match (&project.id, &project.name) {
            (Some(id), _) => Project::with_id(authority, account, id),
            (None, Some(name)) => Project::named(authority, account, name),
            (None, None) => return Err(Fault::missing("auth.scope.project.id")),
        };
        found.map(Some).ok_or_else(unknown)
    }
}

/// That a reference to an account is to the user's own; `name` is the parameter that is missing if it refers to nothing.
fn own(domain: &Domain, account: &Account, name: &'static str) -> Result<(), Fault> {
    if domain.id.is_none() && domain.name.is_none() {
        return Err(Fault::missing(name));
    }
    let same_id = domain.id.as_ref().is_none_or(|id| *id == account.hex.to_string());
    let same_name = domain.name.as_ref().is_none_or(|name| *name == account.name);
    if same_id && same_name { Ok(()) } else { Err(unknown()) }
}

fn unknown() -> Fault {
    UserFault::NotFound.into()
}
