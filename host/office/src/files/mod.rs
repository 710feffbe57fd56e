//! Files of a tenant, in named folders. They are records like all others: what is written is there with the commit.

mod content;
mod outside;
mod place;
mod quota;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use content::Growing;
pub use outside::Deleted;
pub use quota::{FolderUse, NewQuota, Quota, folders};
pub use read::{MAX_READ, list, read, stat};
pub use write::{Stored, append, delete, write};
