//! `wasi:random`: bytes that nobody can tell from random ones, and that are the same whenever the run is executed again.
//!
//! They come from names that are no secret, so they are good for ids, samples and hash tables, and no source of keys or
//! passwords. The tenant is not among the names: a tenant that moves to another service gets another number there, and maybe
//! another name, and its runs must come out the same.

use backroom_domain::Id;
use blake3::{Hasher, OutputReader};

use super::bindings::wasi::random::{insecure, insecure_seed, random};
use crate::guest::Guest;

/// Three streams, one for each interface: what is taken from one does not move another.
pub(super) struct Random {
    secure: OutputReader,
    insecure: OutputReader,
    seed: (u64, u64),
}

impl Random {
    /// Of a run of an installation.
    pub(super) fn new(installation: Option<&Id>, run: Option<&Id>) -> Self {
        let stream = |context: &str| {
            let mut hasher = Hasher::new_derive_key(context);
            for name in [installation, run] {
                // Ids have no byte of zero, so no two pairs of names read the same.
                hasher.update(name.map_or("", Id::as_str).as_bytes()).update(&[0]);
            }
            hasher.finalize_xof()
        };
        let mut seed = stream("backroom 2026 wasi random insecure-seed");
        Self {
            secure: stream("backroom 2026 wasi random random"),
            insecure: stream("backroom 2026 wasi random insecure"),
            seed: (next(&mut seed), next(&mut seed)),
        }
    }
}

fn fill(stream: &mut OutputReader, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.fill(&mut bytes);
    bytes
}

fn next(stream: &mut OutputReader) -> u64 {
    let mut bytes = [0; 8];
    stream.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

impl random::Host for Guest {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        let (length, wasi) = self.observe_length(length)?;
        Ok(fill(&mut wasi.random.secure, length))
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(next(&mut self.observe(8)?.random.secure))
    }
}

impl insecure::Host for Guest {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        let (length, wasi) = self.observe_length(length)?;
        Ok(fill(&mut wasi.random.insecure, length))
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(next(&mut self.observe(8)?.random.insecure))
    }
}

impl insecure_seed::Host for Guest {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok(self.observe(16)?.random.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_and_every_interface_has_its_own() {
        let id = |text: &str| Id::parse(text, "id").unwrap();
        let (a, b) = (id("a"), id("b"));
        let draw = |installation, run| {
            let mut random = Random::new(installation, run);
            [next(&mut random.secure), next(&mut random.insecure), random.seed.0, random.seed.1]
        };
        let rows = [(Some(&a), Some(&b)), (Some(&b), Some(&a)), (Some(&a), None), (None, Some(&a)), (None, None)];
        let mut seen = std::collections::BTreeSet::new();
        for (installation, run) in rows {
            assert_eq!(draw(installation, run), draw(installation, run));
            assert!(draw(installation, run).into_iter().all(|number| seen.insert(number)));
        }
        // Bytes and numbers are of one stream.
        let (mut one, mut two) = (Random::new(None, None), Random::new(None, None));
        let bytes = fill(&mut one.secure, 16);
        assert_eq!(bytes[..8], next(&mut two.secure).to_le_bytes());
        assert_eq!(bytes[8..], next(&mut two.secure).to_le_bytes());
    }
}
