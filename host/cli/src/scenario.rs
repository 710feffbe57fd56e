//! Scenarios of a plugin: what is there, what is run, what must come of it. For `plugin test`, `plugin run` and `plugin bench`.
//!
//! ```text
//! file      tests/NAME.toml, as the author writes it
//! world     one client company in memory, made of what is given: the same runtime, use cases and rules as in a service
//! expect    what came of a step against what must, difference by difference
//! snapshot  effects that are kept beside the scenario and compared as a whole
//! cover     which rights the scenarios make use of
//! faults    every step again with something that goes wrong: nothing may be kept
//! tested    what is shown of all that, for people, as JSON and as JUnit XML
//! ```
//!
//! Nothing here decides anything about books, people or stock.

pub(crate) mod cover;
mod expect;
mod faults;
pub(crate) mod file;
mod junit;
mod snapshot;
pub(crate) mod suite;
pub(crate) mod tested;
pub(crate) mod world;

#[cfg(test)]
mod tests;
