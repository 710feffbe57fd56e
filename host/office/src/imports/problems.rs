//! What is wrong with which cell.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::files::File;

/// The most problems that are reported one by one. More than anybody reads, and about 2 MiB as JSON; a file with a
/// wrong separator in 100,000 rows must not answer with more than was sent.
pub const MAX_PROBLEMS: usize = 10_000;

/// One thing that is wrong with the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowProblem {
    /// The name of the file as it was sent.
    pub file: String,
    /// The physical line on which the record begins, from 1; none if it is about the whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// A stable word in kebab-case; codes are only ever added.
    pub code: String,
    /// For people: what is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for RowProblem {
    /// `workers.csv:12: id: message (code)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ": {column}")?;
        }
        write!(f, ": {} ({})", self.message, self.code)
    }
}

/// The problems found so far, bounded.
#[derive(Debug, Clone, Default)]
pub(super) struct Problems {
    found: Vec<RowProblem>,
    more: u64,
}

impl Problems {
    /// A problem of a cell, or of a whole record without `column`.
    pub(super) fn row(&mut self, file: File, line: u64, column: Option<&str>, code: &str, message: impl Into<String>) {
        self.push(RowProblem {
            file: file.name().to_owned(),
            line: Some(line),
            column: column.map(str::to_owned),
            code: code.to_owned(),
            message: message.into(),
        });
    }

    /// A problem of a whole file.
    pub(super) fn file(&mut self, file: &str, code: &str, message: impl Into<String>) {
        let (code, message) = (code.to_owned(), message.into());
        self.push(RowProblem { file: file.to_owned(), line: None, column: None, code, message });
    }

    fn push(&mut self, problem: RowProblem) {
        if self.found.len() < MAX_PROBLEMS {
            self.found.push(problem);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Was anything found in this file?
    pub(super) fn has(&self, file: File) -> bool {
        self.found.iter().any(|problem| problem.file == file.name())
    }

    /// All of them by file (in the order of [`File::ALL`]) and line; last, how many are not shown.
    pub(super) fn into_rows(mut self) -> Vec<RowProblem> {
        let place = |name: &str| File::ALL.iter().position(|f| f.name() == name).unwrap_or(File::ALL.len());
        // A stable sort: the cells of a line stay in the order in which they were read.
        self.found.sort_by_key(|p| (place(&p.file), p.line));
        if self.more > 0 {
            let message = format!("{} more problems are not shown; mend these first", self.more);
            let file = self.found.last().map_or_else(String::new, |p| p.file.clone());
            self.found.push(RowProblem { file, line: None, column: None, code: "more-problems".to_owned(), message });
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_sorted_capped_and_counted() {
        let mut problems = Problems::default();
        problems.row(File::Workers, 3, Some("id"), "id-invalid", "x");
        problems.row(File::Accounts, 9, None, "row-length", "y");
        problems.file("workers.csv", "file-too-large", "z");
        let shown: Vec<String> = problems.clone().into_rows().iter().map(ToString::to_string).collect();
        let want =
            ["accounts.csv:9: y (row-length)", "workers.csv: z (file-too-large)", "workers.csv:3: id: x (id-invalid)"];
        assert_eq!(shown, want);

        for line in 0..MAX_PROBLEMS as u64 {
            problems.row(File::Stock, line, None, "row-length", "w");
        }
        let rows = problems.into_rows();
        assert_eq!(rows.len(), MAX_PROBLEMS + 1);
        let last = rows.last().unwrap();
        assert_eq!((last.code.as_str(), last.line), ("more-problems", None));
        assert!(last.message.starts_with("3 more "), "{}", last.message);
    }
}
