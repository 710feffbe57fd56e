//! Errors of a plugin's own, of the same type as those of the service.

use std::fmt::Display;

use crate::{Error, Problem};

/// A rule of this workflow forbids it. `code` is a stable word in kebab-case, for programs; `message` is for people.
pub fn refused(code: &str, message: impl Display) -> Error {
    Error::Refused(Problem { code: code.to_owned(), field: None, message: message.to_string() })
}

/// The input is not as it has to be; `field` is the place in it.
pub fn invalid(code: &str, field: &str, message: impl Display) -> Error {
    let (code, field) = (code.to_owned(), Some(field.to_owned()));
    Error::Invalid(vec![Problem { code, field, message: message.to_string() }])
}

impl Error {
    /// The code of the error; of several the first. Treat a code that you do not know by the error's class.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(problem)
            | Self::Denied(problem)
            | Self::Conflict(problem)
            | Self::Unavailable(problem)
            | Self::NotFound(problem) => &problem.code,
            Self::Invalid(problems) => problems.first().map_or("", |problem| &problem.code),
        }
    }
}
