//! The cells of one row, read by column. Reading goes on after a bad cell, so that every bad cell of a row is reported.

use backroom_domain::{BusinessDate, Currency, Decimal, Error, Id, Money};

use super::csv::Record;
use super::files::File;
use super::problems::Problems;

/// Which cell of a record is which column.
pub(super) struct Header {
    file: File,
    /// Columns of the file in the order in which they stand in it.
    order: Vec<&'static str>,
}

impl Header {
    /// Reads the header row: every column of the file once, nothing else. Reports all that is wrong with it.
    pub(super) fn read(file: File, record: &Record, problems: &mut Problems) -> Option<Self> {
        let mut order = Vec::new();
        let mut ok = true;
        let mut wrong = |column: Option<&str>, code: &str, message: String| {
            ok = false;
            problems.row(file, record.line, column, code, message);
        };
        for (number, cell) in record.cells.iter().enumerate() {
            let Ok(name) = std::str::from_utf8(cell) else {
                wrong(None, "encoding-invalid", format!("column {} of the header row is not UTF-8", number + 1));
                continue;
            };
            let shown: String = name.chars().take(64).collect();
            match file.columns().iter().find(|c| **c == name) {
                None => {
                    let message =
                        format!("there is no column {shown:?}; the columns are {}", file.columns().join(", "));
                    wrong(Some(&shown), "column-unknown", message);
                }
                Some(column) if order.contains(column) => {
                    wrong(Some(column), "column-duplicate", "this column stands in the header row twice".to_owned());
                }
                Some(column) => order.push(*column),
            }
        }
        for column in file.columns().iter().filter(|c| !order.contains(c)) {
            wrong(Some(column), "column-missing", "this column is not in the header row".to_owned());
        }
        ok.then_some(Self { file, order })
    }
}

/// What stands in the cell of an amount.
#[derive(Clone, Copy)]
pub(super) enum Amount {
    /// Nothing.
    None,
    /// An amount.
    Money(Money),
    /// A number; what it is worth is not known, since there is no (readable) currency.
    Unvalued,
}

impl Amount {
    /// The amount, if it is one.
    pub(super) fn money(self) -> Option<Money> {
        match self {
            Self::Money(money) => Some(money),
            Self::None | Self::Unvalued => None,
        }
    }
}

/// One row, with what it says by column.
pub(super) struct Row<'a> {
    pub(super) file: File,
    /// The physical line on which it begins.
    pub(super) line: u64,
    header: &'a Header,
    record: &'a Record,
    problems: &'a mut Problems,
}

impl<'a> Row<'a> {
    /// The row of a record, if it has the form of one. The problem is reported if not.
    pub(super) fn new(header: &'a Header, record: &'a Record, problems: &'a mut Problems) -> Option<Self> {
        let file = header.file;
        if let Some(fault) = &record.fault {
            let column = fault.cell.and_then(|n| header.order.get(n)).copied();
            problems.row(file, fault.line, column, fault.code, fault.message);
            return None;
        }
        let (found, expected) = (record.cells.len(), header.order.len());
        if found != expected {
            let message = format!("{found} cells, but the header row has {expected}");
            problems.row(file, record.line, None, "row-length", message);
            return None;
        }
        Some(Self { file, line: record.line, header, record, problems })
    }

    /// Reports a problem of a cell.
    pub(super) fn wrong(&mut self, column: &str, code: &str, message: impl Into<String>) {
        self.problems.row(self.file, self.line, Some(column), code, message);
    }

    /// The text of a cell; `Ok(None)` if it is empty, `Err` if it is not UTF-8 (and reported).
    fn text(&mut self, column: &str) -> Result<Option<&'a str>, ()> {
        let record = self.record;
        let place = self.header.order.iter().position(|c| *c == column);
        let Some(cell) = place.and_then(|n| record.cells.get(n)).filter(|c| !c.is_empty()) else { return Ok(None) };
        std::str::from_utf8(cell).map(Some).map_err(|error| {
            let message = format!(
                "this cell is not UTF-8 (byte {} of it is {:#04x}); save the file as UTF-8",
                error.valid_up_to() + 1,
                cell.get(error.valid_up_to()).copied().unwrap_or_default()
            );
            self.wrong(column, "encoding-invalid", message);
        })
    }

    /// A cell that may be empty. The outer `None`: it is wrong, and reported.
    pub(super) fn optional<T>(
        &mut self,
        column: &str,
        parse: impl FnOnce(&str, &str) -> Result<T, Error>,
    ) -> Option<Option<T>> {
        let Some(text) = self.text(column).ok()? else { return Some(None) };
        match parse(text, column) {
            Ok(value) => Some(Some(value)),
            Err(error) => {
                for problem in error.problems {
                    self.wrong(column, &problem.code, problem.message);
                }
                None
            }
        }
    }

    /// A cell that must not be empty.
    pub(super) fn required<T>(
        &mut self,
        column: &str,
        parse: impl FnOnce(&str, &str) -> Result<T, Error>,
    ) -> Option<T> {
        let value = self.optional(column, parse)?;
        if value.is_none() {
            self.wrong(column, "value-missing", "this cell must not be empty");
        }
        value
    }

    pub(super) fn id(&mut self, column: &str) -> Option<Id> {
        self.required(column, Id::parse)
    }

    pub(super) fn date(&mut self, column: &str) -> Option<BusinessDate> {
        self.required(column, BusinessDate::parse)
    }

    pub(super) fn currency(&mut self) -> Option<Currency> {
        self.required("currency", Currency::parse)
    }

    pub(super) fn decimal(&mut self, column: &str) -> Option<Decimal> {
        self.required(column, Decimal::parse)
    }

    /// An amount in `currency`. `None`: it is wrong, and reported.
    pub(super) fn amount(&mut self, column: &str, currency: Option<Currency>) -> Option<Amount> {
        match currency {
            Some(currency) => {
                let money = self.optional(column, |text, field| Money::parse_amount(text, currency, field))?;
                Some(money.map_or(Amount::None, Amount::Money))
            }
            None => Some(self.optional(column, Decimal::parse)?.map_or(Amount::None, |_| Amount::Unvalued)),
        }
    }

    pub(super) fn words(&mut self, column: &str) -> Option<String> {
        self.required(column, |text, _| Ok(text.to_owned()))
    }

    pub(super) fn optional_words(&mut self, column: &str) -> Option<Option<String>> {
        self.optional(column, |text, _| Ok(text.to_owned()))
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&mut self, column: &str, choices: &[(&str, T)]) -> Option<T> {
        self.required(column, |text, field| match choices.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(*value),
            None => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                let shown: String = text.chars().take(40).collect();
                Err(Error::invalid("word-unknown", field, format!("{shown:?} is none of {}", words.join(", "))))
            }
        })
    }

    pub(super) fn yes_or_no(&mut self, column: &str) -> Option<bool> {
        self.one_of(column, &[("yes", true), ("no", false)])
    }
}
