//! The way from blocking callers to the connections: they wait on their own thread, whatever runtime that belongs to.

use std::future::{Future, poll_fn};
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

/// Statements that go to the server one behind the other; the answers come in the same order.
///
/// Whoever waits for one of them takes in the answers of all: a connection stops reading while an answer that has arrived
/// is not taken, and then the next ones never come.
pub(super) struct Pipeline<'a, T>(Vec<Step<'a, T>>);

enum Step<'a, T> {
    Sent(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
    Answered(T),
}

impl<'a, T> Pipeline<'a, T> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Sends a statement. Nobody is woken by its answer before that is waited for.
    pub(super) fn push(&mut self, step: impl Future<Output = T> + Send + 'a) {
        let mut step = Step::Sent(Box::pin(step));
        // It is hardly ever answered already, but it may have been refused.
        let _answered = step.poll(&mut Context::from_waker(Waker::noop())).is_ready();
        self.0.push(step);
    }

    /// Waits until all but the last `left` statements have their answers.
    pub(super) async fn all_but(&mut self, left: usize) {
        poll_fn(|context| {
            let mut waiting = 0;
            for step in &mut self.0 {
                waiting += usize::from(step.poll(context).is_pending());
            }
            if waiting > left { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    /// Waits for all answers.
    pub(super) async fn answers(mut self) -> Vec<T> {
        self.all_but(0).await;
        let answers = self.0.into_iter().filter_map(|step| match step {
            Step::Answered(answer) => Some(answer),
            Step::Sent(_) => None,
        });
        answers.collect()
    }
}

impl<T> Step<'_, T> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Self::Sent(future) = self else { return Poll::Ready(()) };
        future.as_mut().poll(context).map(|answer| *self = Self::Answered(answer))
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
        assert_eq!(block_on(pipeline.answers()), [1, 2]);
    }
}
