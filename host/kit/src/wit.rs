//! The contract as a plugin has it, in its folder `wit`: read, cut down to what the plugin wants, and turned into bindings.

use std::path::{Path, PathBuf};

use backroom_domain::rights::{Operation, operations_of};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::{Resolve, WorldId, WorldItem};

use crate::component::interface;
use crate::{KitError, Manifest, sources};

/// The world of every plugin.
pub(crate) const WORLD: &str = "workflow";

/// A contract that was read.
pub(crate) struct Contract {
    pub(crate) resolve: Resolve,
    pub(crate) world: WorldId,
}

impl Contract {
    /// Reads the contract in the folder `wit`.
    pub(crate) fn read(wit: &Path) -> Result<Self, KitError> {
        let wrong = |error: String| KitError::Contract { dir: wit.to_path_buf(), error };
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(wit).map_err(|error| wrong(format!("{error:#}")))?;
        let world = resolve.select_world(&[package], Some(WORLD)).map_err(|error| wrong(format!("{error:#}")))?;
        Ok(Self { resolve, world })
    }

    /// The contract as a document: `workflow.md` and `workflow.html`.
    fn documents(mut self) -> Result<Vec<(PathBuf, Vec<u8>)>, KitError> {
        let mut files = Files::default();
        let done = wit_bindgen_markdown::Opts::default().build().generate(&mut self.resolve, self.world, &mut files);
        done.map_err(|error| KitError::Bindings(format!("{error:#}")))?;
        Ok(files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.to_vec())).collect())
    }

    /// The interfaces that the world imports and that have functions, by their whole names.
    pub(crate) fn interfaces(&self) -> Vec<String> {
        let world = self.resolve.worlds.get(self.world);
        let imports = world.into_iter().flat_map(|world| world.imports.values());
        let interface = |item: &WorldItem| match item {
            WorldItem::Interface { id, .. } => {
                let has_functions = self.resolve.interfaces.get(*id).is_some_and(|one| !one.functions.is_empty());
                self.resolve.id_of(*id).filter(|_| has_functions)
            }
            _ => None,
        };
        imports.filter_map(interface).collect()
    }

    /// The bindings for C: `workflow.h`, `workflow.c` and an object file that describes the world.
    pub(crate) fn c(mut self) -> Result<Vec<(PathBuf, Vec<u8>)>, KitError> {
        let mut files = Files::default();
        let mut generator = wit_bindgen_c::Opts::default().build();
        let done = generator.generate(&mut self.resolve, self.world, &mut files);
        done.map_err(|error| KitError::Bindings(format!("{error:#}")))?;
        Ok(files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.to_vec())).collect())
    }

    /// The bindings for Go, a package for each interface.
    pub(crate) fn go(mut self) -> Result<Vec<(PathBuf, Vec<u8>)>, KitError> {
        let mut files = Files::default();
        let options = wit_bindgen_go::Opts { format: wit_bindgen_go::Format::False, ..Default::default() };
        let done = options.build().generate(&mut self.resolve, self.world, &mut files);
        done.map_err(|error| KitError::Bindings(format!("{error:#}")))?;
        Ok(files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.to_vec())).collect())
    }
}

/// Writes the contract of the plugin in `dir` (its folder `wit`, or `sdk/wit`) into the folder `to`, as documents for people. Their paths.
pub fn document(dir: &Path, to: &Path) -> Result<Vec<PathBuf>, KitError> {
    let own = dir.join("wit");
    let wit = if own.is_dir() { own } else { dir.join("sdk/wit") };
    let files = Contract::read(&wit)?.documents()?;
    sources::write(to, &files)?;
    Ok(files.iter().map(|(name, _)| to.join(name)).collect())
}

/// Whether a plugin with these wants can use the interface, such as `backroom:ledger/journal@0.1.0`, at all. The ones that need no
/// right (time, configuration, log) everybody can.
pub(crate) fn is_wanted(manifest: &Manifest, import: &str) -> bool {
    let name = interface(import);
    let of_it = |operation: &Operation| operation.name().split('.').next() == Some(name);
    !Operation::NAMED.iter().any(of_it) || operations_of(&manifest.wants).iter().any(|operation| of_it(&operation))
}

/// Copies the contract of the plugin to `to`, without the imports that the plugin does not want. Languages whose whole runtime goes into the
/// component import all that their world has, used or not.
pub(crate) fn narrow(wit: &Path, manifest: &Manifest, to: &Path) -> Result<(), KitError> {
    copy(wit, to)?;
    let world = to.join("world.wit");
    let text = std::fs::read_to_string(&world).map_err(KitError::file("read", &world))?;
    let kept = text.lines().filter(|line| match line.trim().strip_prefix("import ") {
        Some(import) => is_wanted(manifest, import.trim_end_matches(';')),
        None => true,
    });
    let text: String = kept.flat_map(|line| [line, "\n"]).collect();
    std::fs::write(&world, text).map_err(KitError::file("write", &world))
}

fn copy(from: &Path, to: &Path) -> Result<(), KitError> {
    std::fs::create_dir_all(to).map_err(KitError::file("make", to))?;
    for entry in std::fs::read_dir(from).map_err(KitError::file("read", from))? {
        let path = entry.map_err(KitError::file("read", from))?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            std::fs::copy(&path, to.join(name)).map_err(KitError::file("copy", &path))?;
        }
    }
    Ok(())
}
