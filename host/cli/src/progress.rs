//! Shows what long work is doing, on stderr: one moving line on a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// Work that is being watched. It disappears from the terminal when it is dropped.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    what: String,
}

impl Progress {
    /// Begins to show `what` is being done.
    pub(crate) fn start(what: impl Into<String>) -> Self {
        let what = what.into();
        let bar = output::watched().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.set_message(what.clone());
            bar
        });
        if bar.is_none() {
            output::note(format_args!("{what} ..."));
        }
        Self { bar, what }
    }

    /// Shows the step it is at.
    pub(crate) fn at(&self, step: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(format!("{}: {step}", self.what)),
            None => output::note(format_args!("  {step}")),
        }
    }
}

impl backroom_kit::Progress for Progress {
    fn step(&mut self, text: &str) {
        self.at(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
