//! What a plugin wants beside what it can use: the functions that its component imports.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Operation, Operations, Rights};

/// The operations that a layer allows in some case.
pub fn operations_of(rights: &Rights) -> Operations {
    served(rights).fold(Operations::default(), |all, (_, operations)| all.or(operations))
}

/// Every right of every grant and the operations that it is for.
fn served(rights: &Rights) -> impl Iterator<Item = (&'static str, Operations)> {
    rights.grants().iter().flat_map(|grant| {
        let mut served = Vec::new();
        grant.each_kind(&mut |kind| kind.serves(&mut served));
        let only = grant.operations;
        served.into_iter().map(move |(right, operations)| (right, only.map_or(operations, |only| operations.and(only))))
    })
}

/// Wants and imports side by side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Imports {
    /// Rights that are wanted, and no function that needs them is imported.
    pub wanted_not_used: Vec<String>,
    /// Functions that are imported, and no right that allows them is wanted: they are always denied.
    pub used_not_wanted: Vec<String>,
}

impl Imports {
    /// Compares what is wanted with the functions imported, each by its name such as `journal.post`. Functions that need no
    /// right are passed over.
    pub fn compare<'a>(wants: &Rights, functions: impl IntoIterator<Item = &'a str>) -> Self {
        let used: Vec<Operation> = functions.into_iter().filter_map(|name| Operation::parse(name).ok()).collect();
        let used = Operations::of(&used);
        let mut wanted_not_used: Vec<String> = served(wants)
            .filter(|(_, operations)| operations.and(used).is_empty())
            .map(|(right, _)| right.to_owned())
            .collect();
        wanted_not_used.sort();
        wanted_not_used.dedup();
        let used_not_wanted = used.without(operations_of(wants)).iter().map(|o| o.name().to_owned()).collect();
        Self { wanted_not_used, used_not_wanted }
    }

    /// Do they agree?
    pub fn agree(&self) -> bool {
        self.wanted_not_used.is_empty() && self.used_not_wanted.is_empty()
    }
}
