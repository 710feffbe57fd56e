//! Ledger records.
