//! `wasi:io/poll`: waiting for streams, which are always ready, and for times, which come when they are waited for.

use backroom_office::runs::{Fault, FaultKind};
use wasmtime::component::Resource;

use super::bindings::wasi::io::poll::{Host, HostPollable};
use super::clocks::Monotonic;
use crate::guest::Guest;

/// What a guest can wait for.
#[expect(unreachable_pub, reason = "the generated code passes it on")]
#[derive(Clone, Copy)]
pub enum Pollable {
    /// Ready, always.
    Ready,
    /// A moment on the monotonic clock, in nanoseconds.
    At(u64),
}

impl Pollable {
    fn is_ready(self, clock: &Monotonic) -> bool {
        match self {
            Self::Ready => true,
            Self::At(moment) => clock.has_reached(moment),
        }
    }
}

/// The positions of those that are ready; if none is, time jumps to the nearest that is waited for.
fn wait(clock: &mut Monotonic, pollables: &[Pollable]) -> Vec<u32> {
    if !pollables.iter().any(|pollable| pollable.is_ready(clock)) {
        let moments = pollables.iter().map(|pollable| match pollable {
            Pollable::Ready => 0,
            Pollable::At(moment) => *moment,
        });
        clock.jump_to(moments.min().unwrap_or(0));
    }
    (0..).zip(pollables).filter(|(_, pollable)| pollable.is_ready(clock)).map(|(position, _)| position).collect()
}

impl Host for Guest {
    fn poll(&mut self, pollables: Vec<Resource<Pollable>>) -> wasmtime::Result<Vec<u32>> {
        // Four bytes for each handle in, four for each answer.
        let wasi = self.observe(pollables.len().saturating_mul(8))?;
        if pollables.is_empty() {
            let message = "it waits for nothing at all (an empty list of pollables), which would never end";
            return Err(self.end(Fault::new(FaultKind::Trap, message)));
        }
        let found: Result<Vec<Pollable>, _> =
            pollables.iter().map(|pollable| wasi.handles.get(pollable).copied()).collect();
        Ok(wait(&mut wasi.monotonic, &found?))
    }
}

impl HostPollable for Guest {
    /// Looking takes time, as reading the clock does: whoever looks again and again sees the moment come.
    fn ready(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<bool> {
        let wasi = self.observe(0)?;
        wasi.monotonic.read();
        Ok(wasi.handles.get(&pollable)?.is_ready(&wasi.monotonic))
    }

    fn block(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        let wasi = self.observe(0)?;
        wait(&mut wasi.monotonic, &[*wasi.handles.get(&pollable)?]);
        Ok(())
    }

    fn drop(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        self.take_back(pollable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Pollable::{At, Ready};

    #[test]
    fn time_jumps_only_if_nothing_else_is_ready() {
        let rows: [(&[Pollable], &[u32], u64); 6] = [
            // (waited for, found ready, the clock after)
            (&[Ready], &[0], 100),
            (&[At(500), Ready], &[1], 100),
            (&[At(50), At(500)], &[0], 100),
            (&[At(900), At(500), At(500)], &[1, 2], 500),
            (&[At(u64::MAX)], &[0], u64::MAX),
            (&[At(100), Ready, At(101)], &[0, 1], 100),
        ];
        for (waited, ready, after) in rows {
            let mut clock = Monotonic::default();
            clock.jump_to(100);
            assert_eq!(wait(&mut clock, waited), ready);
            assert!(clock.has_reached(after) && (after == u64::MAX || !clock.has_reached(after + 1)));
        }
    }
}
