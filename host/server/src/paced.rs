//! A body that is given out piece by piece.
//!
//! The multipart reader takes in everything that a body has ready before it looks at any of it; a caller that sends faster
//! than that could fill the memory with one file. A body that says "not yet" after each piece is read no faster than it is
//! looked at.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use http_body::Frame;

/// A body with a pause after each frame.
pub(crate) struct Paced {
    body: Body,
    pause: bool,
}

impl Paced {
    pub(crate) fn new(body: Body) -> Self {
        Self { body, pause: false }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if std::mem::take(&mut self.pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.pause = true;
        Poll::Ready(frame)
    }
}
