//! `wasi:io/streams` and `wasi:io/error`: an input that has ended, and two outputs that end in the run's log.

use backroom_office::runs::LogLevel;
use wasmtime::component::Resource;

use super::bindings::wasi::io::error::{Error, Host as ErrorHost, HostError};
use super::bindings::wasi::io::streams::{Host, HostInputStream, HostOutputStream, StreamError};
use super::poll::Pollable;
use crate::guest::{Guest, MAX_LINE};
use crate::limits::MAX_CARRIED;

/// The standard input: always at its end.
#[expect(unreachable_pub, reason = "the generated code passes it on")]
pub struct Input;

/// Where a line goes.
#[expect(unreachable_pub, reason = "the generated code passes it on")]
#[derive(Clone, Copy)]
pub enum Output {
    /// To the log as `info`.
    Standard,
    /// To the log as `warn`.
    Error,
}

type Answer<T> = wasmtime::Result<Result<T, StreamError>>;

impl Guest {
    /// What is over the log's limit is dropped and counted, and is no error.
    fn print(&mut self, stream: &Resource<Output>, bytes: &[u8]) -> Answer<()> {
        let Self { wasi: Some(wasi), log, .. } = self else { return Ok(Ok(())) };
        match wasi.handles.get(stream)? {
            Output::Standard => wasi.out.write(bytes, |line| log.write(LogLevel::Info, line)),
            Output::Error => wasi.err.write(bytes, |line| log.write(LogLevel::Warn, line)),
        }
        Ok(Ok(()))
    }

    fn print_bytes(&mut self, stream: &Resource<Output>, bytes: &[u8]) -> Answer<()> {
        self.observe(bytes.len())?;
        self.print(stream, bytes)
    }

    fn print_zeroes(&mut self, stream: &Resource<Output>, length: u64) -> Answer<()> {
        let (length, _) = self.observe_length(length)?;
        // No line ends in them, so more of them than a line holds would be dropped.
        self.print(stream, [0; MAX_LINE].get(..length).unwrap_or(&[0; MAX_LINE]))
    }

    fn ended<T>(&mut self) -> Answer<T> {
        self.observe(0)?;
        Ok(Err(StreamError::Closed))
    }
}

impl Host for Guest {}

impl HostInputStream for Guest {
    fn read(&mut self, _: Resource<Input>, _: u64) -> Answer<Vec<u8>> {
        self.ended()
    }

    fn blocking_read(&mut self, _: Resource<Input>, _: u64) -> Answer<Vec<u8>> {
        self.ended()
    }

    fn skip(&mut self, _: Resource<Input>, _: u64) -> Answer<u64> {
        self.ended()
    }

    fn blocking_skip(&mut self, _: Resource<Input>, _: u64) -> Answer<u64> {
        self.ended()
    }

    fn subscribe(&mut self, _: Resource<Input>) -> wasmtime::Result<Resource<Pollable>> {
        self.hand_out(Pollable::Ready)
    }

    fn drop(&mut self, stream: Resource<Input>) -> wasmtime::Result<()> {
        self.take_back(stream)
    }
}

impl HostOutputStream for Guest {
    fn check_write(&mut self, _: Resource<Output>) -> Answer<u64> {
        self.observe(0)?;
        Ok(Ok(u64::try_from(MAX_CARRIED).unwrap_or(u64::MAX)))
    }

    fn write(&mut self, stream: Resource<Output>, bytes: Vec<u8>) -> Answer<()> {
        self.print_bytes(&stream, &bytes)
    }

    fn blocking_write_and_flush(&mut self, stream: Resource<Output>, bytes: Vec<u8>) -> Answer<()> {
        self.print_bytes(&stream, &bytes)
    }

    /// Does nothing: a line of the log is whole.
    fn flush(&mut self, _: Resource<Output>) -> Answer<()> {
        self.observe(0)?;
        Ok(Ok(()))
    }

    fn blocking_flush(&mut self, _: Resource<Output>) -> Answer<()> {
        self.observe(0)?;
        Ok(Ok(()))
    }

    fn subscribe(&mut self, _: Resource<Output>) -> wasmtime::Result<Resource<Pollable>> {
        self.hand_out(Pollable::Ready)
    }

    fn write_zeroes(&mut self, stream: Resource<Output>, length: u64) -> Answer<()> {
        self.print_zeroes(&stream, length)
    }

    fn blocking_write_zeroes_and_flush(&mut self, stream: Resource<Output>, length: u64) -> Answer<()> {
        self.print_zeroes(&stream, length)
    }

    fn splice(&mut self, _: Resource<Output>, _: Resource<Input>, _: u64) -> Answer<u64> {
        self.ended()
    }

    fn blocking_splice(&mut self, _: Resource<Output>, _: Resource<Input>, _: u64) -> Answer<u64> {
        self.ended()
    }

    fn drop(&mut self, stream: Resource<Output>) -> wasmtime::Result<()> {
        self.take_back(stream)
    }
}

impl ErrorHost for Guest {}

/// No stream here fails, so there is none of these.
impl HostError for Guest {
    fn to_debug_string(&mut self, _: Resource<Error>) -> wasmtime::Result<String> {
        self.observe(0)?;
        Ok(String::new())
    }

    fn drop(&mut self, error: Resource<Error>) -> wasmtime::Result<()> {
        self.take_back(error)
    }
}
