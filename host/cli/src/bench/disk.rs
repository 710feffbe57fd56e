//! How often the disk syncs: what every durable figure rests on. Disks have fast and slow hours, so it is measured before
//! and after.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;

use super::stats::Spread;
use crate::exit::Result;

/// One page, as the smallest durable write.
const APPEND: [u8; 4096] = [0x5a; 4096];

/// Appends of 4 KiB, each followed by `fdatasync`.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Syncs {
    pub(crate) per_second: f64,
    #[serde(flatten)]
    pub(crate) each: Spread,
}

/// Appends to a file in `dir` for as long as `time`, one writer.
pub(crate) fn measure(dir: &Path, time: Duration) -> Result<Syncs> {
    let path = dir.join("sync-rate");
    let doing = || format!("cannot measure the disk with {}", path.display());
    let mut file = File::create(&path).with_context(doing)?;
    let began = Instant::now();
    let mut times = Vec::new();
    while began.elapsed() < time {
        let one = Instant::now();
        file.write_all(&APPEND).and_then(|()| file.sync_data()).with_context(doing)?;
        times.push(one.elapsed());
    }
    let per_second = times.len() as f64 / began.elapsed().as_secs_f64();
    drop(file);
    std::fs::remove_file(&path).with_context(doing)?;
    Ok(Syncs { per_second, each: Spread::of(&mut times) })
}
