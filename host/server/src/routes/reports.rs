//! Reports over the ledger, and the journal as text.
//!
//! The text never stands in memory: it is written to the folder for temporary files and streamed from there, so that a slow line
//! holds nothing of the store.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use backroom_domain::ledger::Portion;
use backroom_domain::ledger::reports::{ReportKind, Span};
use backroom_domain::ledger::text::Format;
use backroom_domain::rights::Pattern;
use backroom_domain::{BusinessDate, Error, Money, Side};
use backroom_office::ledger::reports::{self, MAX_LARGEST};
use backroom_office::ledger::{self, ExportFailure, export};
use backroom_office::{Failure, Work};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::admission::Task;
use crate::auth::Reads;
use crate::clock;
use crate::extract::{Asked, PathId, page_of};
use crate::problem::Problem;
use crate::session::Answer;

/// Entries that an explanation names if it is not said how many.
const LARGEST: usize = 10;

/// The query of a report.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Columns {
    from: Option<BusinessDate>,
    to: Option<BusinessDate>,
    /// Further columns: `2025-01-01..2025-12-31,..2024-12-31`.
    compare: Option<String>,
}

/// The query of what is about one span.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Days {
    from: Option<BusinessDate>,
    to: Option<BusinessDate>,
}

/// The query of a statement.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lines {
    from: Option<BusinessDate>,
    to: Option<BusinessDate>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// The query of an explanation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    from: Option<BusinessDate>,
    to: Option<BusinessDate>,
    largest: Option<usize>,
}

/// The query of a cash flow statement.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cash {
    /// Patterns of the codes of cash accounts, with commas between them.
    cash: String,
    from: Option<BusinessDate>,
    to: Option<BusinessDate>,
}

/// The query of an assertion.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stated {
    date: BusinessDate,
    side: Side,
    /// `1000.50 USD`.
    balance: String,
    /// Minor units.
    tolerance: Option<u64>,
}

/// The query of an export.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct As {
    format: String,
}

/// The query of a proof.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Numbers {
    /// The number of the first entry; 1 if not said.
    from: Option<u64>,
    /// The number of the last entry; the newest if not said.
    to: Option<u64>,
}

/// What is to be split.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allocation {
    /// `1000.50 USD`.
    amount: String,
    /// Fractions (`1/3`, `0.125`, `12.5%`) and `remainder`, with commas between them.
    portions: String,
}

pub(crate) async fn trial_balance(Reads(books): Reads, Asked(asked): Asked<Columns>) -> Answer {
    books.read(move |work| in_columns(work, ReportKind::TrialBalance, asked)).await
}

pub(crate) async fn balance_sheet(Reads(books): Reads, Asked(asked): Asked<Columns>) -> Answer {
    books.read(move |work| in_columns(work, ReportKind::BalanceSheet, asked)).await
}

pub(crate) async fn income_statement(Reads(books): Reads, Asked(asked): Asked<Columns>) -> Answer {
    books.read(move |work| in_columns(work, ReportKind::IncomeStatement, asked)).await
}

fn in_columns(work: &Work, kind: ReportKind, asked: Columns) -> Result<reports::Report, Failure> {
    let mut spans = vec![Span { from: asked.from, to: asked.to }];
    for text in asked.compare.iter().flat_map(|text| text.split(',')) {
        spans.push(span(text)?);
    }
    reports::report(work, kind, &spans)
}

/// `2025-01-01..2025-12-31`; either day may be missing.
fn span(text: &str) -> Result<Span, Error> {
    let wrong =
        || Error::invalid("period-invalid", "compare", format!("{text:?} is no span such as 2025-01-01..2025-12-31"));
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let date = |text: &str| (!text.is_empty()).then(|| BusinessDate::parse(text, "compare")).transpose();
    Ok(Span { from: date(from)?, to: date(to)? })
}

pub(crate) async fn statement(Reads(books): Reads, PathId(code): PathId, Asked(asked): Asked<Lines>) -> Answer {
    let page = page_of(asked.cursor, asked.limit);
    let span = Span { from: asked.from, to: asked.to };
    books.read(move |work| reports::statement(work, &code, &span, &page)).await
}

pub(crate) async fn explanation(Reads(books): Reads, PathId(code): PathId, Asked(asked): Asked<Why>) -> Answer {
    let span = Span { from: asked.from, to: asked.to };
    let largest = asked.largest.unwrap_or(LARGEST.min(MAX_LARGEST));
    books.read(move |work| reports::explain(work, &code, &span, largest)).await
}

pub(crate) async fn assertion(Reads(books): Reads, PathId(code): PathId, Asked(asked): Asked<Stated>) -> Answer {
    let use_case = move |work: &Work| {
        let balance: Money = asked.balance.parse()?;
        reports::assert_balance(work, &code, asked.date, (asked.side, balance), asked.tolerance.unwrap_or(0))
    };
    books.read(use_case).await
}

pub(crate) async fn general_ledger(Reads(books): Reads, Asked(asked): Asked<Days>) -> Answer {
    let span = Span { from: asked.from, to: asked.to };
    books.read(move |work| reports::general_ledger(work, &span)).await
}

pub(crate) async fn cash_flow(Reads(books): Reads, Asked(asked): Asked<Cash>) -> Answer {
    let span = Span { from: asked.from, to: asked.to };
    let use_case = move |work: &Work| {
        let cash = asked.cash.split(',').map(Pattern::parse).collect::<Result<Vec<_>, _>>()?;
        reports::cash_flow(work, &cash, &span)
    };
    books.read(use_case).await
}

pub(crate) async fn by_dimension(Reads(books): Reads, PathId(name): PathId, Asked(asked): Asked<Days>) -> Answer {
    let span = Span { from: asked.from, to: asked.to };
    books.read(move |work| reports::by_dimension(work, &name, &span)).await
}

pub(crate) async fn verification(Reads(books): Reads, Asked(asked): Asked<Numbers>) -> Answer {
    books.read(move |work| ledger::verify(work, asked.from, asked.to)).await
}

/// Reads nothing; it is with the books because its callers are.
pub(crate) async fn allocation(Reads(books): Reads, Asked(asked): Asked<Allocation>) -> Answer {
    let use_case = move |work: &Work| {
        let portions = asked.portions.split(',').map(str::parse).collect::<Result<Vec<Portion>, Error>>()?;
        reports::allocate(work, asked.amount.parse()?, &portions)
    };
    books.read(use_case).await
}

pub(crate) async fn text(Reads(books): Reads, Asked(asked): Asked<As>) -> Answer {
    let format: Format = asked.format.parse().map_err(Problem::from)?;
    let name = books.tenant.id.as_str().replace([':', '/'], "-");
    let (caller, number) = (books.caller(), books.number());
    let write = move |open: &crate::keeper::Open| {
        let work = open.office.read(number, caller, clock::now())?;
        write_file(&work, format)
    };
    let (file, len) = books.session.work(number, Task::Archive, write).await??;
    let body = Body::from_stream(tokio_util::io::ReaderStream::new(tokio::fs::File::from_std(file)));
    let headers = [
        (CONTENT_TYPE, format.media_type().to_owned()),
        (CONTENT_LENGTH, len.to_string()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{}\"", format.name())),
    ];
    Ok((headers, body).into_response())
}

fn write_file(work: &Work, format: Format) -> Result<Result<(File, u64), Problem>, Failure> {
    let written = tempfile::tempfile().map_err(ExportFailure::from).and_then(|file| {
        let mut out = BufWriter::new(file);
        export(work, format, &mut out)?;
        out.flush()?;
        let mut file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        let len = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok((file, len))
    });
    match written {
        Ok(written) => Ok(Ok(written)),
        Err(ExportFailure::Failure(failure)) => Err(failure),
        Err(ExportFailure::Io(error)) => Ok(Err(Problem::internal(&error))),
    }
}
