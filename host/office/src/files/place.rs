//! Which file is meant: the right to its folder first, then whether it is well-formed.

use backroom_domain::files::{FilePath, check_folder};
use backroom_domain::{Error, Id};

use crate::error::Result;

/// Folder and path, if the folder passes `right`. All that is malformed is told together.
pub(super) fn place(
    folder: &str,
    path: &str,
    right: impl FnOnce(&Id) -> backroom_domain::Result<()>,
) -> Result<(Id, FilePath)> {
    let folder = named(folder, right)?;
    let path = FilePath::parse(path, "path");
    match (folder, path) {
        (Ok(folder), Ok(path)) => Ok((folder, path)),
        (folder, path) => {
            let problems = [folder.err(), path.err()].into_iter().flatten().flat_map(|error| error.problems);
            Err(Error { class: backroom_domain::Class::Invalid, problems: problems.collect() }.into())
        }
    }
}

/// The folder, if it passes `right`; inside, what is wrong with its name.
pub(super) fn named(
    folder: &str,
    right: impl FnOnce(&Id) -> backroom_domain::Result<()>,
) -> Result<backroom_domain::Result<Id>> {
    Ok(match Id::parse(folder, "folder") {
        Ok(folder) => {
            right(&folder)?;
            check_folder(&folder).map(|()| folder)
        }
        malformed => malformed,
    })
}
