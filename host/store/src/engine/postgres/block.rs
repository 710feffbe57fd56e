//! The way from blocking callers to the connections: they wait on their own thread, whatever runtime that belongs to.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for `future` on this thread. Unlike a runtime's own way of blocking it may be used on any thread.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// A future that has been polled once: what it sends first is on its way.
pub(super) enum Sent<'a, T> {
    Waiting(Pin<Box<dyn Future<Output = T> + 'a>>),
    Done(Option<T>),
}

impl<'a, T> Sent<'a, T> {
    pub(super) fn new(future: impl Future<Output = T> + 'a) -> Self {
        let mut future: Pin<Box<dyn Future<Output = T> + 'a>> = Box::pin(future);
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Self::Done(Some(output)),
            Poll::Pending => Self::Waiting(future),
        }
    }

    /// Whether the output is there, which is kept.
    fn poll_done(&mut self, context: &mut Context<'_>) -> bool {
        if let Self::Waiting(future) = self
            && let Poll::Ready(output) = future.as_mut().poll(context)
        {
            *self = Self::Done(Some(output));
        }
        matches!(self, Self::Done(_))
    }

    fn take(&mut self) -> Option<T> {
        match self {
            Self::Done(output) => output.take(),
            Self::Waiting(_) => None,
        }
    }
}

impl<T: Unpin> Future for Sent<'_, T> {
    type Output = T;

    /// Like others it is not to be polled after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let _done = self.poll_done(context);
        self.take().map_or(Poll::Pending, Poll::Ready)
    }
}

/// Statements that go to the server one behind the other without waiting; the answers come together.
pub(super) struct Pipeline<'a, T> {
    steps: Vec<Sent<'a, T>>,
}

impl<'a, T> Pipeline<'a, T> {
    pub(super) fn new() -> Self {
        Self { steps: Vec::new() }
    }

    /// Sends a statement behind the others.
    pub(super) fn push(&mut self, step: impl Future<Output = T> + 'a) {
        self.steps.push(Sent::new(step));
    }
}

impl<T: Unpin> Future for Pipeline<'_, T> {
    type Output = Vec<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<T>> {
        // Each of them: the driver stops, for all, at an answer that has come in several pieces and is not taken.
        let mut waiting = false;
        for step in &mut self.steps {
            waiting |= !step.poll_done(context);
        }
        if waiting { Poll::Pending } else { Poll::Ready(self.steps.iter_mut().filter_map(Sent::take).collect()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocking_works_on_any_thread_and_a_pipeline_keeps_the_order() {
        let (done, wait) = tokio::sync::oneshot::channel();
        thread::spawn(move || done.send(7).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // Within a runtime as well, where its own way of blocking panics.
        let seven = runtime.block_on(async { block_on(wait) });
        assert_eq!(seven, Ok(7));
        for order in [[0, 1], [1, 0]] {
            let (mut late, waits): (Vec<_>, Vec<_>) = (0..2)
                .map(|_| {
                    let (late, wait) = tokio::sync::oneshot::channel();
                    (Some(late), wait)
                })
                .unzip();
            let mut pipeline = Pipeline::new();
            for wait in waits {
                pipeline.push(async { wait.await.unwrap() });
            }
            thread::spawn(move || order.map(|at| late[at].take().unwrap().send(at).unwrap()));
            assert_eq!(block_on(pipeline), [0, 1]);
        }
    }
}
