//! Keys, which are overwritten in memory when the last user lets go of them and are never shown.

use std::fmt;
use std::sync::Arc;

use zeroize::{Zeroize as _, Zeroizing};

use crate::error::StoreError;

/// The key of one person, of 256 random bits. Clones are the same key.
#[derive(Clone)]
pub struct PersonKey(Arc<Parts>);

struct Parts {
    root: [u8; 32],
    cipher: [u8; 32],
    nonce: [u8; 32],
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.root.zeroize();
        self.cipher.zeroize();
        self.nonce.zeroize();
    }
}

impl PersonKey {
    /// A new key.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the operating system has no random numbers.
    pub fn draw() -> Result<Self, StoreError> {
        let mut root = Zeroizing::new([0; 32]);
        let drawn = getrandom::fill(&mut *root).map_err(|error| std::io::Error::other(error.to_string()));
        drawn.map_err(StoreError::io("draw random numbers for the key of a person"))?;
        Ok(Self::from_bytes(&root))
    }

    /// The key with these bytes.
    #[must_use]
    pub fn from_bytes(root: &[u8; 32]) -> Self {
        let derive = |purpose| blake3::derive_key(purpose, root);
        Self(Arc::new(Parts {
            root: *root,
            cipher: derive("backroom 2026 personal data: cipher"),
            nonce: derive("backroom 2026 personal data: nonce"),
        }))
    }

    /// The bytes to be kept, for keyrings.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0.root
    }

    pub(super) fn cipher(&self) -> &[u8; 32] {
        &self.0.cipher
    }

    pub(super) fn nonce(&self) -> &[u8; 32] {
        &self.0.nonce
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonKey(..)")
    }
}

/// The key that the keys of persons are wrapped with where they are kept. It is nowhere in the data directory.
#[derive(Clone)]
pub struct MasterKey(Arc<Zeroizing<[u8; 32]>>);

impl MasterKey {
    /// Reads 64 hexadecimal digits; white space around them does not count. None if it is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut *bytes).ok()?;
        Some(Self(Arc::new(bytes)))
    }

    /// Another key, for one purpose alone: nothing about this one or about those for other purposes can be learnt from it.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &**self.0)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}
