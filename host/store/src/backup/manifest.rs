//! Manifests: what a backup consists of. Written last, so that what a manifest names is there.
//!
//! JSON for people, and strict: a manifest is read only if writing it again gives the same bytes and its hash is right, so no
//! byte of it can change unseen. Each one names the one before it by hash, so the manifests are a chain as well.

use std::collections::BTreeMap;

use backroom_domain::Instant;
use serde::{Deserialize, Serialize};

use super::chunk::Chunk;
use super::error::BackupError;
use super::vault::{self, Vault};
use crate::types::{Hash, Head, Revision, TenantNo};

/// The kind of these objects.
pub(super) const KIND: &str = "manifests";
const FORMAT: u32 = 1;
/// A hundred thousand tenants and chunks; a manifest is not read further.
const MAX_BYTES: u64 = 64 << 20;

/// One backup: what the log gained since the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Manifest {
    pub(super) format: u32,
    /// The release that wrote it.
    pub(super) backroom: String,
    pub(super) made_at: Instant,
    /// What names the store: the hash of the first entry of its log.
    pub(super) store: Hash,
    pub(super) from: Revision,
    pub(super) to: Revision,
    /// The hash of the entry at `to`, so that the next backup can prove that it goes on from here.
    pub(super) last: Hash,
    pub(super) previous: Option<Link>,
    pub(super) chunks: Vec<Chunk>,
    /// Releases that were first recorded in these revisions.
    pub(super) releases: Vec<Component>,
    /// The head of every tenant's chain at `to`.
    pub(super) heads: BTreeMap<TenantNo, Head>,
    /// The hash of this manifest, itself left empty.
    pub(super) hash: String,
}

/// The manifest before this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub(super) to: Revision,
    pub(super) hash: Hash,
}

/// A component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Component {
    /// BLAKE3 of its bytes.
    pub(super) digest: Hash,
    pub(super) bytes: u64,
}

impl Component {
    /// The object's name.
    pub(super) fn name(&self) -> String {
        format!("releases/{}.wasm", self.digest)
    }

    /// The bytes, checked against size and digest.
    pub(super) fn read(&self, vault: &dyn Vault) -> Result<Vec<u8>, BackupError> {
        let bytes = vault::get(vault, &self.name(), self.bytes)?;
        match bytes.len() as u64 == self.bytes && Hash::of(&bytes) == self.digest {
            true => Ok(bytes),
            false => Err(BackupError::damaged(self.name(), "its bytes are not what its name says")),
        }
    }
}

impl Manifest {
    /// One that goes on from `base`, without anything in it.
    pub(super) fn after(base: Option<&Self>, made_at: Instant) -> Self {
        let backroom = env!("CARGO_PKG_VERSION").to_owned();
        let previous = base.map(|base| Link { to: base.to, hash: base.own_hash() });
        let (to, last) = base.map_or((0, Hash::ZERO), |base| (base.to, base.last));
        let (store, heads) = base.map_or_else(Default::default, |base| (base.store, base.heads.clone()));
        let (chunks, releases, hash) = (Vec::new(), Vec::new(), String::new());
        Self {
            format: FORMAT,
            backroom,
            made_at,
            store,
            from: to + 1,
            to,
            last,
            previous,
            chunks,
            releases,
            heads,
            hash,
        }
    }

    /// The object's name.
    pub(super) fn name(&self) -> String {
        name_of(self.to)
    }

    /// The hash that it carries; [`Hash::ZERO`] if it was not sealed.
    pub(super) fn own_hash(&self) -> Hash {
        Hash::parse(&self.hash).unwrap_or_default()
    }

    /// Puts the hash in.
    pub(super) fn seal(mut self) -> Result<Self, BackupError> {
        self.hash = String::new();
        self.hash = Hash::of(&self.write()?).to_string();
        Ok(self)
    }

    /// The bytes of the object.
    pub(super) fn write(&self) -> Result<Vec<u8>, BackupError> {
        let bytes = serde_json::to_vec_pretty(self);
        let mut bytes = bytes.map_err(|why| BackupError::io("write a manifest")(why.into()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The manifest that ends with revision `to`.
    pub(super) fn read(vault: &dyn Vault, to: Revision) -> Result<Self, BackupError> {
        let name = name_of(to);
        let bytes = vault::get(vault, &name, MAX_BYTES)?;
        let manifest = Self::parse(&name, &bytes)?;
        match manifest.name() == name {
            true => Ok(manifest),
            false => Err(BackupError::damaged(name, "it does not say the revision that its name says")),
        }
    }

    fn parse(name: &str, bytes: &[u8]) -> Result<Self, BackupError> {
        let damaged = |why: &dyn std::fmt::Display| BackupError::damaged(name, why);
        // Before the rest: a newer format may have other fields.
        let loose: serde_json::Value = serde_json::from_slice(bytes).map_err(|why| damaged(&why))?;
        if let Some(found) = loose.get("format").and_then(serde_json::Value::as_u64)
            && found > FORMAT.into()
        {
            return Err(BackupError::Newer { object: name.to_owned(), found, known: FORMAT });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|why| damaged(&why))?;
        if manifest.write()? != bytes || manifest.clone().seal()?.hash != manifest.hash {
            return Err(damaged(&"it was changed since it was written"));
        }
        Ok(manifest)
    }
}

/// The name of the manifest that ends with revision `to`.
pub(super) fn name_of(to: Revision) -> String {
    format!("{KIND}/{to:020}.json")
}

/// The last revisions of all manifests, ascending. Objects with other names are not looked at.
pub(super) fn all(vault: &dyn Vault) -> Result<Vec<Revision>, BackupError> {
    let names = vault.list(KIND).map_err(BackupError::io(format!("list {KIND} in {}", vault.shown())))?;
    let to =
        |name: &String| name.strip_suffix(".json")?.parse().ok().filter(|to| name_of(*to).ends_with(name.as_str()));
    Ok(names.iter().filter_map(to).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_of_a_manifest_changes_unseen() {
        let mut manifest = Manifest::after(None, Instant(1_700_000_000_000_000));
        manifest.to = 9;
        manifest.heads.insert(TenantNo(1), Head { number: 9, hash: Hash([3; 32]) });
        manifest.releases.push(Component { digest: Hash([4; 32]), bytes: 7 });
        manifest.chunks.push(Chunk { from: 1, to: 9, raw: 100, bytes: 50, hash: Hash([5; 32]) });
        let manifest = manifest.seal().unwrap();
        let bytes = manifest.write().unwrap();
        assert_eq!(Manifest::parse("m", &bytes).unwrap(), manifest);
        for at in 0..bytes.len() {
            for flip in [1, 0x20, 0x80] {
                let mut other = bytes.clone();
                other[at] ^= flip;
                assert!(
                    Manifest::parse("m", &other).is_err(),
                    "byte {at} ^ {flip}: {}",
                    String::from_utf8_lossy(&other)
                );
            }
        }
        assert!(Manifest::parse("m", &bytes[..bytes.len() - 1]).is_err());
        let newer = String::from_utf8(bytes).unwrap().replace("\"format\": 1", "\"format\": 7");
        assert!(matches!(Manifest::parse("m", newer.as_bytes()), Err(BackupError::Newer { found: 7, .. })));
    }
}
