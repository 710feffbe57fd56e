//! What can go wrong, by whose fault it is.

use backroom_domain::{Class, Error, Problem};
use backroom_office::Failure;
use backroom_office::runs::{Fault, FaultKind};
use backroom_store::StoreError;

/// Why a host call gave no result: an answer for the guest, or the end of its run.
#[derive(Debug)]
pub(crate) enum HostError {
    /// A business "no". The guest gets it and goes on.
    Business(Error),
    /// The run ends here.
    Fault(Fault),
}

impl From<Error> for HostError {
    fn from(error: Error) -> Self {
        Self::Business(error)
    }
}

impl From<Fault> for HostError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Failure> for HostError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Business(error) => Self::Business(error),
            Failure::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for HostError {
    fn from(error: StoreError) -> Self {
        match error {
            // The guest's own doing, so the guest is told.
            StoreError::TooLarge { .. } => Self::Business(Error::new(Class::Invalid, "too-large", error.to_string())),
            StoreError::Conflict => Self::Fault(Fault::new(FaultKind::Conflict, error.to_string())),
            StoreError::Unavailable(_)
            | StoreError::Busy(_)
            | StoreError::ReadOnly
            | StoreError::Corrupt { .. }
            | StoreError::KeysMissing { .. }
            | StoreError::Locked { .. }
            | StoreError::Expired
            | StoreError::Codec { .. }
            | StoreError::Io { .. } => Self::Fault(Fault::new(FaultKind::Store, error.to_string())),
        }
    }
}

/// The runtime cannot be set up on this machine.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engine does not start, not even with the smallest settings.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// Wall-time limits would not work.
    #[error("the wall-time limit does not work on this machine: {0}")]
    Ticker(String),
}

/// The bytes are no plugin that this service can run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// Over the limit.
    #[error(
        "the component has {size} bytes, the limit is {limit}; build it optimised for size and without debug information"
    )]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not a component at all, or one that breaks the rules of the format.
    #[error("this is no valid WebAssembly component: {0}. Build it with `backroom plugin build`")]
    Malformed(String),
    /// It nests deeper than any compiler makes it.
    #[error("components nest {depth} deep in it, the limit is {limit}")]
    TooDeep {
        /// How deep at least.
        depth: usize,
        /// The limit.
        limit: usize,
    },
    /// It wants what the service does not have.
    #[error(
        "it imports {}, which this service does not have: a plugin may import `backroom:*` interfaces of the contract only",
        .0.join(", ")
    )]
    UnknownImports(Vec<String>),
    /// It does not export `run`, or not with the contract's type; or an import has another type than the contract's.
    #[error("it does not fit the contract: {0}")]
    Contract(String),
    /// No or bad `plugin.toml` inside.
    #[error("its plugin.toml: {0}")]
    Manifest(String),
    /// The compiler gave up on it.
    #[error("it does not compile: {0}")]
    Compile(String),
    /// The file of the release is not there, or is not what it was.
    #[error("release {digest}: {what}. Upload it again")]
    Release {
        /// The release's digest.
        digest: String,
        /// What is wrong with its file.
        what: String,
    },
}

impl PluginError {
    /// Is it the service's own copy of the plugin that is at fault, and not the plugin?
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Release { .. })
    }
}

/// Why the runner could not do what was asked. A run that was refused or failed is no error: its report says so.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunnerError {
    /// The request itself: malformed, unknown installation, or an id that was used for something else.
    #[error(transparent)]
    Business(#[from] Error),
    /// The plugin is not one, or its file is gone.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Another host committed for the tenant first, again and again. Nothing was kept.
    #[error("other hosts committed for this tenant first. Nothing was kept; send the same request again")]
    Conflict,
    /// The service could not do its part. If the store stopped while the run waited for the disk, it may be on record or not:
    /// the same request, with the same id, tells, and is done at most once.
    #[error("{0}. Send the same request again, with the same id: it is done at most once")]
    Unavailable(String),
}

impl RunnerError {
    /// Class, code and message, for an answer to the caller.
    pub fn into_error(self) -> Error {
        match self {
            Self::Business(error) => error,
            Self::Plugin(error) => {
                let code = match &error {
                    PluginError::TooLarge { .. } => "plugin-too-large",
                    PluginError::Malformed(_) | PluginError::TooDeep { .. } => "plugin-malformed",
                    PluginError::UnknownImports(_) => "plugin-imports-unknown",
                    PluginError::Contract(_) => "plugin-contract",
                    PluginError::Manifest(_) => "plugin-manifest",
                    PluginError::Compile(_) => "plugin-not-compiled",
                    PluginError::Release { .. } => "release-damaged",
                };
                let class = if code == "release-damaged" { Class::Unavailable } else { Class::Invalid };
                Error::new(class, code, error.to_string())
            }
            Self::Conflict => Error::new(Class::Conflict, "conflict", self.to_string()),
            Self::Unavailable(_) => {
                let problem = Problem { code: "unavailable".into(), field: None, message: self.to_string() };
                Error { class: Class::Unavailable, problems: vec![problem] }
            }
        }
    }
}

impl From<Failure> for RunnerError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Business(error) => Self::Business(error),
            Failure::Store(error) => error.into(),
        }
    }
}

/// For passing faults.
impl From<Fault> for RunnerError {
    fn from(fault: Fault) -> Self {
        if fault.kind == FaultKind::Conflict { Self::Conflict } else { Self::Unavailable(fault.message) }
    }
}

impl From<StoreError> for RunnerError {
    fn from(error: StoreError) -> Self {
        match HostError::from(error) {
            HostError::Business(error) => Self::Business(error),
            HostError::Fault(fault) => fault.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_large_is_the_guests_own_doing() {
        let large = StoreError::TooLarge { what: "the record", size: 9, limit: 1 };
        match HostError::from(large) {
            HostError::Business(error) => assert_eq!((error.class, error.code()), (Class::Invalid, "too-large")),
            HostError::Fault(fault) => panic!("{fault}"),
        }
        for error in [StoreError::Unavailable("x".into()), StoreError::Busy("x".into()), StoreError::Expired] {
            match HostError::from(error) {
                HostError::Fault(fault) => assert!(fault.kind.is_passing()),
                HostError::Business(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn every_runner_error_has_a_class_and_a_code() {
        let text = String::new;
        let rows: [(RunnerError, Class, &str); 9] = [
            (Error::not_found("run", "r").into(), Class::NotFound, "not-found"),
            (PluginError::TooLarge { size: 2, limit: 1 }.into(), Class::Invalid, "plugin-too-large"),
            (PluginError::Malformed(text()).into(), Class::Invalid, "plugin-malformed"),
            (PluginError::UnknownImports(vec![]).into(), Class::Invalid, "plugin-imports-unknown"),
            (PluginError::Contract(text()).into(), Class::Invalid, "plugin-contract"),
            (PluginError::Manifest(text()).into(), Class::Invalid, "plugin-manifest"),
            (PluginError::Compile(text()).into(), Class::Invalid, "plugin-not-compiled"),
            (PluginError::Release { digest: text(), what: text() }.into(), Class::Unavailable, "release-damaged"),
            (StoreError::Busy(text()).into(), Class::Unavailable, "unavailable"),
        ];
        for (error, class, code) in rows {
            let error = error.into_error();
            assert_eq!((error.class, error.code()), (class, code));
        }
    }
}
