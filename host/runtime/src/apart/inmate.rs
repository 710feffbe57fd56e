//! The guest's process: it has the sandbox and nothing else, and asks the service for every host call.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use backroom_domain::Error;
use backroom_office::runs::{Fault, FaultKind};
use backroom_store::sched::Pace;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, InstanceAllocationStrategy};

use super::words::{Opening, Order, Start, Word, hear, say};
use crate::bindings::backroom::types::types;
use crate::bindings::{Workflow, WorkflowPre};
use crate::confine::{go_first, let_go, lock_in_runner};
use crate::convert;
use crate::engine::pool;
use crate::error::HostError;
use crate::exec::{Ended, run_guest};
use crate::guest::{Guest, Holds};
use crate::profile::{Duty, config};
use crate::slices::{Slices, TURN};
use crate::ticker::Ticker;

/// Runs the plugin of one installation for the service that started this process, which locks itself in for good; it ends when the
/// service has nothing to say any more.
///
/// It has to be called before anything is opened and before there is a second thread.
pub fn run_as_child(opening: &str) -> ExitCode {
    match serve(opening) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            drop(writeln!(io::stderr(), "{why}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(opening: &str) -> io::Result<()> {
    let Opening { layout, max_memory } = serde_json::from_str(opening)?;
    go_first();
    let_go()?;
    // Nor does it interrupt anybody.
    Pace::Patient.take();
    // Everything that needs files or threads of its own is there before the door is shut.
    let mut settings = config(layout, Duty::Run);
    settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(1, max_memory)));
    let engine = Engine::new(&settings).or_else(|_| Engine::new(&config(layout, Duty::Run))).map_err(failed)?;
    let mut linker = Linker::new(&engine);
    Workflow::add_to_linker::<_, HasSelf<_>>(&mut linker, |inmate| inmate).map_err(failed)?;
    crate::wasi::add_to_linker(&mut linker).map_err(failed)?;
    let _ticker = Ticker::tick(&engine).map_err(failed)?;
    let mut pipe = Pipe {
        input: File::from(io::stdin().as_fd().try_clone_to_owned()?),
        output: File::from(io::stdout().as_fd().try_clone_to_owned()?),
    };
    let confined = lock_in_runner(max_memory)?;
    pipe.say(&Word::Ready { confined }, &[])?;
    let (mut loaded, slices) = (None, Slices::new(1, TURN));
    loop {
        match pipe.hear() {
            Ok((Order::Load, code)) => {
                let ready = load(&engine, &linker, &code).map(|plugin| loaded = Some(plugin));
                pipe.say(&Word::Loaded(ready.map_err(|why| format!("{why:#}"))), &[])?;
            }
            Ok((Order::Run(start), input)) => {
                let plugin = loaded.as_ref().ok_or_else(|| failed("nothing was loaded"))?;
                let input = String::from_utf8(input).map_err(failed)?;
                pipe = run(&engine, plugin, &slices, pipe, start, &input)?;
            }
            Ok((Order::Answer(_), _)) => return Err(failed("nothing was asked")),
            Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(why) => return Err(why),
        }
    }
}

fn failed(why: impl ToString) -> io::Error {
    io::Error::other(why.to_string())
}

fn load(engine: &Engine, linker: &Linker<Inmate>, code: &[u8]) -> wasmtime::Result<WorkflowPre<Inmate>> {
    #[expect(unsafe_code, reason = "the only way from compiled code to a component")]
    // SAFETY: the service runs this code itself for other tenants, on an engine of the same settings; it came through its own pipe.
    let component = unsafe { Component::deserialize(engine, code) }?;
    WorkflowPre::new(linker.instantiate_pre(&component)?)
}

fn run(
    engine: &Engine,
    plugin: &WorkflowPre<Inmate>,
    slices: &Arc<Slices>,
    pipe: Pipe,
    start: Start,
    input: &str,
) -> io::Result<Pipe> {
    let mut guest = Guest::new(start.names, start.limits);
    guest.until = Instant::now() + start.left;
    guest.meter.fails_at = start.fails_at;
    let (inmate, ended) = run_guest(engine, plugin, Inmate { guest, pipe }, slices, input);
    let Inmate { mut guest, mut pipe } = inmate;
    let Ended { returned, fuel } = ended;
    pipe.say(&Word::Done { used: guest.used(), fuel, peak_memory: guest.memory.peak, returned }, &[])?;
    Ok(pipe)
}

/// To the service and back.
struct Pipe {
    input: File,
    output: File,
}

impl Pipe {
    fn say(&mut self, word: &Word, with: &[u8]) -> io::Result<()> {
        say(&mut self.output, word, with)
    }

    /// The service is believed: it may hand over large code.
    fn hear(&mut self) -> io::Result<(Order, Vec<u8>)> {
        hear(&mut self.input, u32::MAX)
    }
}

/// The state behind the host functions of a guest in this process.
pub(super) struct Inmate {
    guest: Guest,
    pipe: Pipe,
}

impl Holds for Inmate {
    fn guest(&mut self) -> &mut Guest {
        &mut self.guest
    }
}

impl Inmate {
    /// Has the service do a host call.
    pub(super) fn ask<R: Told>(&mut self, function: &str, arguments: &impl Serialize) -> R {
        let _host = self.guest.host_time.enter();
        match self.exchange(function, arguments) {
            Ok(answer) => R::hear(&answer, &mut self.guest),
            Err(why) => {
                R::ended(Fault::new(FaultKind::Internal, format!("the service is gone: {why}")), &mut self.guest)
            }
        }
    }

    fn exchange(&mut self, function: &str, arguments: &impl Serialize) -> io::Result<Vec<u8>> {
        let arguments = postcard::to_allocvec(arguments).map_err(io::Error::other)?;
        self.pipe.say(&Word::Call { used: self.guest.used(), function: function.to_owned() }, &arguments)?;
        match self.pipe.hear()? {
            (Order::Answer(left), answer) => {
                self.guest.go_on(&left);
                Ok(answer)
            }
            _ => Err(failed("no answer")),
        }
    }
}

impl types::Host for Inmate {
    fn convert_error(&mut self, error: HostError) -> wasmtime::Result<types::Error> {
        match error {
            HostError::Business(error) => Ok(convert::error(error)),
            HostError::Fault(fault) => Err(self.guest.end(fault)),
        }
    }
}

/// What a host function returns, on its way from one process to the other.
pub(super) trait Told: Sized {
    /// Into bytes, where the call was done. `guest` has the fault of a function that has no error to return.
    fn tell(self, guest: &Guest) -> Vec<u8>;

    /// From bytes, where the guest is.
    fn hear(answer: &[u8], guest: &mut Guest) -> Self;

    /// The run ends here.
    fn ended(fault: Fault, guest: &mut Guest) -> Self;
}

impl<T: Serialize + DeserializeOwned> Told for Result<T, HostError> {
    fn tell(self, _guest: &Guest) -> Vec<u8> {
        match self {
            Ok(value) => encode(ANSWERED, postcard::to_allocvec(&value).ok()),
            Err(HostError::Business(error)) => encode(REFUSED, minicbor::to_vec(error).ok()),
            Err(HostError::Fault(fault)) => end_with(fault),
        }
    }

    fn hear(answer: &[u8], guest: &mut Guest) -> Self {
        match answer.split_first() {
            Some((&REFUSED, error)) => match minicbor::decode::<Error>(error) {
                Ok(error) => Err(error.into()),
                Err(_) => Self::ended(garbled(), guest),
            },
            _ => decode(answer).map_err(HostError::from),
        }
    }

    fn ended(fault: Fault, _guest: &mut Guest) -> Self {
        Err(fault.into())
    }
}

impl<T: Serialize + DeserializeOwned> Told for wasmtime::Result<T> {
    fn tell(self, guest: &Guest) -> Vec<u8> {
        match self {
            Ok(value) => encode(ANSWERED, postcard::to_allocvec(&value).ok()),
            Err(_) => end_with(guest.fault.clone().unwrap_or_else(garbled)),
        }
    }

    fn hear(answer: &[u8], guest: &mut Guest) -> Self {
        decode(answer).map_err(|fault| guest.end(fault))
    }

    fn ended(fault: Fault, guest: &mut Guest) -> Self {
        Err(guest.end(fault))
    }
}

const ANSWERED: u8 = 0;
/// With the error, in the encoding of records.
const REFUSED: u8 = 1;
/// With the fault, in the encoding of records.
const ENDED: u8 = 2;

/// Nothing but the kind, which says nothing, if it cannot be encoded.
fn encode(kind: u8, body: Option<Vec<u8>>) -> Vec<u8> {
    let mut answer = vec![kind];
    answer.extend(body.unwrap_or_default());
    answer
}

fn decode<T: DeserializeOwned>(answer: &[u8]) -> Result<T, Fault> {
    match answer.split_first() {
        Some((&ANSWERED, value)) => postcard::from_bytes(value).map_err(|_| garbled()),
        Some((&ENDED, fault)) => Err(minicbor::decode(fault).unwrap_or_else(|_| garbled())),
        _ => Err(garbled()),
    }
}

/// The answer that ends the guest's run.
pub(super) fn end_with(fault: Fault) -> Vec<u8> {
    encode(ENDED, minicbor::to_vec(fault).ok())
}

/// The fault that ends the guest's run, if an answer is one.
pub(super) fn fault_in(answer: &[u8]) -> Option<Fault> {
    let (kind, fault) = answer.split_first()?;
    (*kind == ENDED).then(|| minicbor::decode(fault).unwrap_or_else(|_| garbled()))
}

fn garbled() -> Fault {
    Fault::new(FaultKind::Internal, "the answer to a host call makes no sense; tell the operator of the service")
}

#[cfg(test)]
mod tests {
    use backroom_domain::Instant;
    use backroom_store::records::Limits;

    use super::*;
    use crate::guest::Names;

    #[test]
    fn an_answer_an_error_and_a_fault_come_over_as_they_are() {
        let mut guest = Guest::new(Names { installation: None, run: None, now: Instant(1) }, Limits::default());
        type Answer = Result<Vec<u8>, HostError>;
        let fault = Fault::new(FaultKind::Fuel, "none left");
        let error = Error::not_found("account", "9");
        let told = Answer::Ok(vec![1, 2]).tell(&guest);
        assert_eq!(Answer::hear(&told, &mut guest).unwrap(), [1, 2]);
        let told = Answer::Err(error.clone().into()).tell(&guest);
        assert!(matches!(Answer::hear(&told, &mut guest), Err(HostError::Business(heard)) if heard == error));
        let told = Answer::Err(fault.clone().into()).tell(&guest);
        assert!(matches!(Answer::hear(&told, &mut guest), Err(HostError::Fault(heard)) if heard == fault));
        for nothing in [&[][..], &[ANSWERED], &[REFUSED, 0xff], &[9]] {
            assert!(matches!(Answer::hear(nothing, &mut guest), Err(HostError::Fault(heard)) if heard == garbled()));
        }

        type Plain = wasmtime::Result<Option<String>>;
        let told = Plain::Ok(Some("x".into())).tell(&guest);
        assert_eq!(Plain::hear(&told, &mut guest).unwrap().unwrap(), "x");
        let failed = Plain::Err(guest.end(fault.clone()));
        let told = failed.tell(&guest);
        guest.fault = None;
        assert!(Plain::hear(&told, &mut guest).is_err());
        assert_eq!(guest.fault, Some(fault));
    }
}
