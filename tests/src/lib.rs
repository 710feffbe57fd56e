//! Whole-system tests: the real binary, real files, real components.
