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

/// Sends what `future` sends first, and does not wait for the answer.
pub(super) fn send_only<F: Future>(future: F) {
    let mut context = Context::from_waker(Waker::noop());
    // Whether it is done already is of no interest.
    let _sent = pin!(future).poll(&mut context).is_ready();
}

/// Statements that go to the server in one write; the answers come together.
pub(super) struct Pipeline<'a, T> {
    steps: Vec<Step<'a, T>>,
}

enum Step<'a, T> {
    Waiting(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
    Done(Option<T>),
}

impl<'a, T> Pipeline<'a, T> {
    pub(super) fn new() -> Self {
        Self { steps: Vec::new() }
    }

    /// Adds a statement behind the others.
    pub(super) fn push(&mut self, step: impl Future<Output = T> + Send + 'a) {
        self.steps.push(Step::Waiting(Box::pin(step)));
    }
}

impl<T: Unpin> Future for Pipeline<'_, T> {
    type Output = Vec<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<T>> {
        let mut waiting = false;
        // In order: the first time, each is sent when it is asked.
        for step in &mut self.steps {
            if let Step::Waiting(future) = step {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *step = Step::Done(Some(output)),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting {
            return Poll::Pending;
        }
        let outputs = self.steps.iter_mut().filter_map(|step| match step {
            Step::Done(output) => output.take(),
            Step::Waiting(_) => None,
        });
        Poll::Ready(outputs.collect())
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
        let (late, waits) = tokio::sync::oneshot::channel();
        let mut pipeline = Pipeline::new();
        pipeline.push(async move { waits.await.unwrap() });
        pipeline.push(async { 2 });
        thread::spawn(move || late.send(1).unwrap());
        assert_eq!(block_on(pipeline), [1, 2]);
    }
}
