//! The one place that writes to the terminal: results to stdout, everything else to stderr.
//!
//! A closed pipe is no error here: whoever closed it has read enough.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

use backroom_domain::plays_tricks;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use serde::Serialize;

use crate::exit::{Failure, Problem, chain};

/// Where results go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    json: bool,
}

impl Out {
    /// As JSON or for people.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Is JSON wanted?
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// A line of a result, for people.
    pub(crate) fn line(self, text: impl Display) {
        if !self.json {
            write_line(&plain(text));
        }
    }

    /// A table, for people.
    pub(crate) fn table(self, grid: &Grid) {
        if !self.json {
            write_line(&plain(grid.0.trim_fmt()));
        }
    }

    /// The service's JSON as it came.
    pub(crate) fn raw(self, text: &str) {
        if self.json {
            write_line(&text.trim_end());
        }
    }

    /// JSON of our own.
    pub(crate) fn value(self, value: &impl Serialize) {
        if self.json {
            write_line(&serde_json::to_string_pretty(value).unwrap_or_default());
        }
    }

    /// Why there is no result. With `--json` the reason is the result.
    pub(crate) fn failure(self, failure: &Failure) {
        if self.json {
            self.value(&failure.to_json());
            return;
        }
        match failure {
            Failure::Refused(problem) => show_problem(problem),
            Failure::Check(text) => note(format_args!("failed: {text}")),
            Failure::Usage(text) => note(format_args!("usage: {text}")),
            Failure::Plugin(text) => note(format_args!("plugin: {text}")),
            Failure::Unavailable(error) => note(format_args!("unavailable: {}", chain(error))),
        }
    }
}

/// A line on stderr.
pub(crate) fn note(text: impl Display) {
    // Nobody is left to be told if this fails.
    writeln!(std::io::stderr().lock(), "{}", plain(text)).ok();
}

/// As a terminal may have it: what plugins and files brought along is shown and never obeyed. (JSON is not for terminals, and
/// stays as it came.)
fn plain(text: impl Display) -> String {
    let shown = |c: char| matches!(c, '\n' | '\t') || !plays_tricks(c);
    text.to_string().chars().map(|c| if shown(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// Do people watch stderr?
pub(crate) fn watched() -> bool {
    std::io::stderr().is_terminal()
}

fn write_line(text: &dyn Display) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).ok();
}

fn show_problem(problem: &Problem) {
    note(problem.headline());
    if let Some(words) = problem.last_words() {
        note(format_args!("  before that it said: {words}"));
    }
    if problem.errors.iter().any(|reason| reason.file.is_some()) {
        let mut grid = Grid::new(&[left("File"), right("Line"), left("Column"), left("Reason")]);
        for reason in &problem.errors {
            let column = reason.field.clone().unwrap_or_default();
            let line = reason.line.map(|line| line.to_string()).unwrap_or_default();
            let why = format!("{} ({})", reason.message, reason.code);
            grid.row([reason.file.clone().unwrap_or_default(), line, column, why]);
        }
        note(grid.0.trim_fmt());
        note("Mend the files and import all of them again.");
    } else if problem.errors.len() > 1 || problem.errors.iter().any(|reason| !problem.detail.contains(&reason.message))
    {
        for reason in &problem.errors {
            let field = reason.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
            note(format_args!("  {field}{} ({})", reason.message, reason.code));
        }
    }
    if let Some(advice) = problem.advice() {
        note(format_args!("  {advice}"));
    }
}

/// A JSON value as people write it.
pub(crate) fn text_of(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The head of a column, and to which side its cells are set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column(&'static str, CellAlignment);

/// A column of words.
pub(crate) fn left(head: &'static str) -> Column {
    Column(head, CellAlignment::Left)
}

/// A column of figures.
pub(crate) fn right(head: &'static str) -> Column {
    Column(head, CellAlignment::Right)
}

/// One line below the head and nothing else: figures can be copied out of it.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table.
#[derive(Debug)]
pub(crate) struct Grid(Table);

impl Grid {
    /// An empty table. It is as wide as it needs to be; on a terminal long cells are wrapped.
    pub(crate) fn new(columns: &[Column]) -> Self {
        let mut table = Table::new();
        table.load_style(STYLE);
        table.set_header(columns.iter().map(|column| Cell::new(column.0).set_alignment(column.1)));
        if let Some((_, width)) = console::Term::stdout().size_checked().filter(|_| std::io::stdout().is_terminal()) {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(60));
        }
        for (column, set) in table.column_iter_mut().zip(columns) {
            column.set_cell_alignment(set.1);
        }
        Self(table)
    }

    /// Adds a row.
    pub(crate) fn row<T: ToString>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.0.add_row(cells.into_iter().map(Cell::new));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_plays_no_tricks_on_the_terminal() {
        let mut grid = Grid::new(&[left("Memo")]);
        grid.row(["\u{1b}[2Jpaid\rdue \u{202e}00.1"]);
        for text in [grid.0.trim_fmt(), plain("key \u{1b}]8;;x\u{7}\u{9b}1m\u{2066}")] {
            assert!(!plain(&text).contains(|c: char| plays_tricks(c) && c != '\n'), "{text:?}");
        }
        assert_eq!(plain("two\n\tlines é"), "two\n\tlines é");
    }
}
