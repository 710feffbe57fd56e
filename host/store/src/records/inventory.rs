//! Inventory records.
