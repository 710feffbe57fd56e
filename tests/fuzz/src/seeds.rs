//! What the fuzzers begin with: written by each of them when it starts, into `seeds/<its name>`, so that it always fits the code.

use std::fs;
use std::path::Path;

/// Writes these seeds, by name, and makes the folder for what comes of them.
///
/// # Panics
/// If the folder cannot be written.
pub fn write(target: &str, seeds: impl IntoIterator<Item = (String, Vec<u8>)>) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("seeds").join(target);
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir_all(here.join("corpus").join(target)).unwrap();
    for (name, bytes) in seeds {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// Bytes of no meaning, for targets that make values out of whatever comes: the same each time.
#[must_use]
pub fn noise(count: u64) -> Vec<(String, Vec<u8>)> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..count).map(|number| (format!("noise-{number}"), (0..1024).map(|_| byte()).collect())).collect()
}
