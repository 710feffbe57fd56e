//! Writes what the fuzzers begin with: `cargo run --bin seeds` in this folder. The entries of the log come from a story told here, the
//! component has every import of the contract.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backroom_fuzz::{Failure, acme};
use backroom_store::Store;
use backroom_store::engine::{Engine as _, LogItem, Memory};
use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

const MANIFEST: &str = include_str!("seed.toml");

fn main() -> Result<(), Failure> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    fs::write(folder(&seeds, "component")?.join("contract"), component()?)?;
    fs::write(folder(&seeds, "manifest")?.join("wants"), MANIFEST)?;
    for (number, payload) in log()?.into_iter().enumerate() {
        fs::write(folder(&seeds, "log")?.join(format!("entry-{number}")), payload)?;
    }
    // Values and requests are made out of bytes as they come: any will do.
    fs::write(folder(&seeds, "values")?.join("count"), (0..=255).collect::<Vec<u8>>().repeat(4))?;
    fs::write(folder(&seeds, "http")?.join("count"), (0..=255).collect::<Vec<u8>>().repeat(4))?;
    Ok(())
}

fn folder(seeds: &Path, target: &str) -> Result<PathBuf, std::io::Error> {
    let folder = seeds.join(target);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn component() -> Result<Vec<u8>, Failure> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"))?;
    let world = resolve.select_world(&[package], Some("workflow"))?;
    let mut core = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8, false)?;
    Ok(backroom_kit::build_core_to_component(&core, MANIFEST)?)
}

/// The log of a small tenant.
fn log() -> Result<Vec<Vec<u8>>, Failure> {
    let engine = Arc::new(Memory::new());
    acme(&Store::with_engine(engine.clone()))?;
    let mut payloads = Vec::new();
    engine.read_log(1, &mut |item| {
        if let LogItem::Entry { payload, .. } = item {
            payloads.push(payload.to_vec());
        }
        ControlFlow::Continue(())
    })?;
    Ok(payloads)
}
