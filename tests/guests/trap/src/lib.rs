//! Panics, before or after it changed something.

use backroom_sdk::{Error, Workflow, host, workflow};
use serde::Deserialize;

#[derive(Deserialize)]
struct Input {
    /// What the panic says.
    message: String,
    /// Whether to set the key `trap` first, which must not be kept.
    #[serde(default)]
    after_effect: bool,
}

struct Trap;

impl Workflow for Trap {
    type Input = Input;
    type Output = ();

    fn run(input: Input) -> Result<(), Error> {
        if input.after_effect {
            host::state::set("trap", b"must not be kept")?;
        }
        panic!("{}", input.message)
    }
}

workflow!(Trap);
