//! Bringing one's own material: a wrapping key to send it under, and taking it in.
//!
//! The private half of the wrapping key travels inside the import token, sealed under the ring and bound to the key's id: nothing
//! is stored until material arrives, and a token is worth nothing for another key or after its time.

use claviger_crypto::{ImportKey, Secret, WrapAlgorithm};

use crate::clock::Moment;
use crate::cx::{Cx, Granted};
use crate::fault::{Fault, KeyFault, MaterialFault};
use crate::ids::KeyId;
use crate::key::{Key, KeyState, Origin};
use crate::label;
use crate::loaded::LoadedKey;
use crate::workers::Work;

/// How long what [`Cx::import_parameters`] gives stays good, in seconds.
pub const PARAMETERS_SECONDS: u64 = 86_400;

/// What one needs to send material.
#[derive(Debug)]
pub struct ImportParameters {
    /// To be given back with the material.
    pub token: Vec<u8>,
    /// RSA-2048, DER `SubjectPublicKeyInfo` (RFC 5280).
    pub public_key: Vec<u8>,
    /// Until when both are good.
    pub valid_to: Moment,
}

const fn algorithm_byte(algorithm: WrapAlgorithm) -> u8 {
    match algorithm {
        WrapAlgorithm::RsaPkcs1v15 => 1,
        WrapAlgorithm::RsaOaepSha1 => 2,
        WrapAlgorithm::RsaOaepSha256 => 3,
    }
}

const fn algorithm_of(byte: u8) -> Option<WrapAlgorithm> {
    match byte {
        1 => Some(WrapAlgorithm::RsaPkcs1v15),
        2 => Some(WrapAlgorithm::RsaOaepSha1),
        3 => Some(WrapAlgorithm::RsaOaepSha256),
        _ => None,
    }
}

impl Cx<'_> {
    /// A fresh wrapping key for the material of an external key. Takes about 80 ms of a worker.
    pub async fn import_parameters(
        &self,
        key: &Granted<std::sync::Arc<LoadedKey>>,
        algorithm: WrapAlgorithm,
    ) -> Result<ImportParameters, Fault> {
        let key = key.record();
        if key.origin != Origin::External {
            return Err(KeyFault::NotExternal.into());
        }
        if key.state == KeyState::PendingDeletion {
            return Err(KeyFault::StateForbids.into());
        }
        let wrapping =
            self.authority.workers.run(Work::Keys, ImportKey::generate).await?.map_err(|error| {
                tracing::error!(%error, "an import key could not be made");
                Fault::Internal
            })?;
        let valid_to = self.now.plus_seconds(PARAMETERS_SECONDS);
        let mut inside = vec![algorithm_byte(algorithm)];
        inside.extend_from_slice(&valid_to.millis().to_be_bytes());
        // Revealed to be sealed into the token.
        inside.extend_from_slice(wrapping.to_secret().reveal());
        let inside = Secret::new(inside);
        let ring = self.authority.ring(&key.ring()).await?;
        let token = ring.seal(&self.authority.entropy, &label::import_token(key.id), inside.reveal());
        Ok(ImportParameters { token, public_key: wrapping.public_der(), valid_to })
    }

    /// Takes wrapped material in. `expires` is when it shall be gone again.
    pub async fn import_material(
        &self,
        id: KeyId,
        token: &[u8],
        wrapped: Vec<u8>,
        expires: Option<Moment>,
    ) -> Result<Key, Fault> {
        // The material is unwrapped before the key's turn is taken: a turn is not held while waiting for a worker.
        let key = self.key(id).await?;
        importable(key.record())?;
        let ring = self.authority.ring(&key.record().ring()).await?;
        let inside = ring
            .open(&label::import_token(id), token)
            .map_err(|_| Fault::Material(MaterialFault::TokenInvalid))?;
        let material = self.unwrap_material(&inside, wrapped).await?;
        if material.len() != key.record().spec.algorithm().key_len() {
            return Err(MaterialFault::Unwrap.into());
        }
        let mut edit = self.edit(id).await?;
        importable(&edit.key)?;
        edit.import(&material, expires).await?;
        edit.commit().await
    }

    async fn unwrap_material(&self, inside: &Secret, wrapped: Vec<u8>) -> Result<Secret, Fault> {
        let invalid = || Fault::Material(MaterialFault::TokenInvalid);
        // Revealed to be taken apart: algorithm, time, private key.
        let (algorithm, rest) = inside.reveal().split_first().ok_or_else(invalid)?;
        let (time, private) = rest.split_first_chunk::<8>().ok_or_else(invalid)?;
        let algorithm = algorithm_of(*algorithm).ok_or_else(invalid)?;
        if Moment::from_millis(u64::from_be_bytes(*time)) <= self.now {
            return Err(MaterialFault::TokenExpired.into());
        }
        let private = Secret::new(private.to_vec());
        let unwrapped = self.authority.workers.run(Work::Keys, move || {
            let key = ImportKey::from_secret(&private)?;
            key.unwrap(algorithm, &wrapped)
        });
        unwrapped.await?.map_err(|_| Fault::Material(MaterialFault::Unwrap))
    }
}

fn importable(key: &Key) -> Result<(), Fault> {
    if key.origin != Origin::External {
        return Err(KeyFault::NotExternal.into());
    }
    match key.state {
        KeyState::Enabled | KeyState::PendingImport => Ok(()),
        KeyState::Disabled | KeyState::PendingDeletion => Err(KeyFault::StateForbids.into()),
    }
}
