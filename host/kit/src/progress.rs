//! How a long piece of work tells what it is doing. Showing it is the caller's part.

/// Receives one short line whenever a build or an installation takes its next step.
pub trait Progress {
    /// `text` is a line for people, such as `compiling serde v1.0.228`; it has no line break.
    fn step(&mut self, text: &str);
}

/// Shows nothing, for callers that nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn step(&mut self, _text: &str) {}
}
