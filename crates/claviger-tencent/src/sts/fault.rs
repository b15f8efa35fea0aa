//! Faults in the words of STS: so far none but what every service says.

use claviger_core::Fault;

use crate::wire::{Language, Words, common_words};

/// A fault in the words of STS.
pub(crate) fn words(fault: &Fault, language: Language) -> Words {
    match fault {
        Fault::AccessKey(_)
        | Fault::Alias(_)
        | Fault::Authentication(_)
        | Fault::BodyTooLarge { .. }
        | Fault::Cipher(_)
        | Fault::Conflict
        | Fault::DelegationMissing
        | Fault::Internal
        | Fault::Key(_)
        | Fault::Material(_)
        | Fault::Parameter(_)
        | Fault::PermissionDenied { .. }
        | Fault::Policy(_)
        | Fault::RateLimited { .. }
        | Fault::Route(_)
        | Fault::Tag(_)
        | Fault::Unavailable
        | Fault::User(_) => common_words(fault, language),
    }
}
