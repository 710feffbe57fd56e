//! A file on its way out: piece by piece, as fast as whoever asked takes it.
//!
//! A caller who reads slowly, or not at all, holds one piece in memory and no thread. Each piece is read when the one before has
//! been taken; if the file is another one by then the answer breaks off, since its length and its digest were told before.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use backroom_domain::files::File;
use backroom_office::{Failure, Work, files};
use http_body::{Frame, SizeHint};

use crate::admission::Task;
use crate::clock;
use crate::keeper::Open;
use crate::problem::Problem;
use crate::session::Books;

/// Bytes of one piece.
const PIECE: u32 = 256 << 10;

type Reading = Pin<Box<dyn Future<Output = Result<(File, Vec<u8>), Problem>> + Send>>;

/// The content of a file that is being sent.
pub(crate) struct Download {
    books: Arc<Books>,
    file: File,
    /// What comes next, if it is there already.
    ready: Option<Vec<u8>>,
    reading: Option<Reading>,
    /// Bytes that were given out.
    sent: u64,
}

impl Download {
    /// Reads the first piece: says what file it is, and gives its content.
    ///
    /// # Errors
    /// As for reading it.
    pub(crate) async fn begin(books: Books, folder: String, path: String) -> Result<(File, Body), Problem> {
        let books = Arc::new(books);
        let (file, first) = piece(Arc::clone(&books), folder, path, 0).await?;
        let download = Self { books, file: file.clone(), ready: Some(first), reading: None, sent: 0 };
        Ok((file, Body::new(download)))
    }

    fn left(&self) -> u64 {
        self.file.size.saturating_sub(self.sent)
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Vec<u8>, axum::Error>> {
        if let Some(first) = self.ready.take() {
            return Poll::Ready(Ok(first));
        }
        let (books, sent) = (Arc::clone(&self.books), self.sent);
        let File { folder, path, .. } = &self.file;
        let reading = self
            .reading
            .get_or_insert_with(|| Box::pin(piece(books, folder.to_string(), path.as_str().to_owned(), sent)));
        let read = ready!(reading.as_mut().poll(context));
        self.reading = None;
        Poll::Ready(match read {
            Ok((file, bytes)) if file == self.file && !bytes.is_empty() => Ok(bytes),
            Ok(_) => Err(axum::Error::new("the file was changed while it was read")),
            Err(problem) => Err(axum::Error::new(problem.detail)),
        })
    }
}

/// The file, and a piece of it from `at` on.
async fn piece(books: Arc<Books>, folder: String, path: String, at: u64) -> Result<(File, Vec<u8>), Problem> {
    let (caller, tenant) = (books.caller(), books.number());
    let read = move |open: &Open| read(&open.office.read(tenant, caller, clock::now())?, &folder, &path, at);
    books.session.work(tenant, Task::Read, read).await
}

fn read(work: &Work, folder: &str, path: &str, at: u64) -> Result<(File, Vec<u8>), Failure> {
    let file = files::stat(work, folder, path)?;
    let bytes = if at < file.size { files::read(work, folder, path, at, PIECE)? } else { Vec::new() };
    Ok((file, bytes))
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.left() == 0 {
            return Poll::Ready(None);
        }
        let piece = ready!(self.poll_piece(context));
        Poll::Ready(Some(piece.map(|bytes| {
            self.sent = self.sent.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            Frame::data(bytes.into())
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}
