//! Calls the functions that the input names, and tells what they answered. `contract.rs` is made of the contract.

mod contract;
mod helpers;
mod values;

use backroom_sdk::{Error, Workflow, invalid, refused, workflow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use contract::write_types_error;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    calls: Vec<Call>,
    end: Option<End>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    call: String,
    args: Vec<Value>,
}

/// How the run ends, if not well.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum End {
    /// With the last error that a call gave.
    Error,
    Refuse,
    Invalid,
    Trap,
}

#[derive(Serialize)]
struct Output {
    answers: Vec<Value>,
}

struct Conformance;

impl Workflow for Conformance {
    type Input = Input;
    type Output = Output;

    fn run(input: Input) -> Result<Output, Error> {
        let mut last = None;
        let mut answers = Vec::new();
        for Call { call, args } in &input.calls {
            let answer = match call.starts_with("sdk.") {
                true => helpers::call(call, args),
                false => contract::call(call, args),
            };
            answers.push(match answer {
                Ok(value) => json!({ "ok": value }),
                Err(error) => {
                    let written = json!({ "err": write_types_error(&error) });
                    last = Some(error);
                    written
                }
            });
        }
        match (input.end, last) {
            (None, _) => Ok(Output { answers }),
            (Some(End::Error), Some(error)) => Err(error),
            (Some(End::Refuse), _) => Err(refused("conformance-refused", "Nein – 否 🛑")),
            (Some(End::Invalid), _) => Err(invalid("conformance-invalid", "input.calls[0]", "Ünï: \"1\"")),
            (Some(End::Error | End::Trap), _) => panic!("as the input says"),
        }
    }
}

workflow!(Conformance);
