//! HR records.
