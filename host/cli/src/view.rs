//! Business records for people: journal tables, benefit lines, moves.

pub(crate) mod effects;
pub(crate) mod rights;
pub(crate) mod run;
