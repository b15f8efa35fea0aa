//! Using a key: the data plane. Nothing here touches the store.

use claviger_crypto::{Blob, CryptoError, Secret};

use crate::cx::{Cx, Granted};
use crate::fault::{CipherFault, Fault, KeyFault};
use crate::ids::KeyId;
use crate::loaded::LoadedKey;

/// What a ciphertext is bound to besides its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ContextKind {
    /// Nothing.
    None = 0,
    /// A map of texts, as JSON with sorted keys.
    Map = 1,
    /// A text as it is.
    Text = 2,
}

/// What a caller binds a ciphertext to: the same must be presented to decrypt it.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    kind: ContextKind,
    bytes: &'a [u8],
}

impl<'a> Context<'a> {
    /// Nothing.
    pub const NONE: Self = Self { kind: ContextKind::None, bytes: &[] };

    /// A map, already as JSON with sorted keys and no spaces.
    pub const fn map(canonical: &'a [u8]) -> Self {
        Self { kind: ContextKind::Map, bytes: canonical }
    }

    /// A text.
    pub const fn text(bytes: &'a [u8]) -> Self {
        Self { kind: ContextKind::Text, bytes }
    }
}

/// Most bytes that a key encrypts in one call.
pub const PLAINTEXT_BYTES: usize = 4096;
/// Most bytes of a data key.
pub const DATA_KEY_BYTES: usize = 1024;

impl Granted<std::sync::Arc<LoadedKey>> {
    /// Encrypts 1 to 4096 bytes; the result carries all that decrypting it needs but the key and the context.
    pub fn encrypt(&self, cx: &Cx<'_>, context: Context<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Fault> {
        self.key.usable()?;
        if !(1..=PLAINTEXT_BYTES).contains(&plaintext.len()) {
            return Err(CipherFault::PlaintextInvalid.into());
        }
        let (key_version, cipher) = self.newest()?;
        let head = claviger_crypto::BlobHead {
            key_id: self.key.id.0,
            key_version,
            context_kind: context.kind as u8,
        };
        Ok(cipher.encrypt(&cx.authority.entropy, &head, context.bytes, plaintext))
    }

    /// Decrypts a ciphertext of this key.
    pub fn decrypt(&self, blob: &Ciphertext<'_>, context: Context<'_>) -> Result<Secret, Fault> {
        self.key.usable()?;
        if blob.blob.context_kind() != context.kind as u8 {
            return Err(CipherFault::DecryptionFailed.into());
        }
        let cipher = self.version(blob.blob.key_version())?;
        cipher.decrypt(&blob.blob, context.bytes).map_err(|error| match error {
            CryptoError::Malformed | CryptoError::UnsupportedVersion => CipherFault::CiphertextInvalid.into(),
            _ => CipherFault::DecryptionFailed.into(),
        })
    }

    /// Makes a data key of 1 to 1024 bytes and its ciphertext under this key.
    pub fn data_key(
        &self,
        cx: &Cx<'_>,
        context: Context<'_>,
        bytes: usize,
    ) -> Result<(Secret, Vec<u8>), Fault> {
        self.key.usable()?;
        if !(1..=DATA_KEY_BYTES).contains(&bytes) {
            return Err(CipherFault::PlaintextInvalid.into());
        }
        let data_key = Secret::random(&cx.authority.entropy, bytes);
        // Revealed to be encrypted.
        let blob = self.encrypt(cx, context, data_key.reveal())?;
        Ok((data_key, blob))
    }
}

/// A ciphertext of ours, taken apart but not opened.
#[derive(Debug)]
pub struct Ciphertext<'a> {
    blob: Blob<'a>,
}

impl<'a> Ciphertext<'a> {
    /// Takes apart.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let blob = Blob::parse(bytes).map_err(|_| Fault::Cipher(CipherFault::CiphertextInvalid))?;
        Ok(Self { blob })
    }

    /// The key it was made with.
    pub fn key_id(&self) -> KeyId {
        KeyId(self.blob.key_id())
    }
}

impl Fault {
    /// The same fault where an action knows no other state than disabled.
    #[must_use]
    pub fn any_state_is_disabled(self) -> Self {
        match self {
            Self::Key(KeyFault::PendingDeletion | KeyFault::PendingImport) => Self::Key(KeyFault::Disabled),
            fault => fault,
        }
    }
}
