//! Files: named folders of a tenant, with content that is kept like every other record.

mod path;
mod types;

pub use path::{FilePath, MAX_DEPTH, MAX_PATH, check_folder};
pub use types::{Deletion, File, Limit, MAX_FILE, MAX_FILES, MAX_FOLDERS, Usage, check_room};
