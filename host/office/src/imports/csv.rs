//! Records of RFC 4180, read strictly: what spreadsheet programs forgive (a quote that is never closed swallows the rest of the
//! file as one cell) must not become somebody's books. The `csv` crate is as forgiving and hides where it was, hence
//! this reader; the tests compare it with that crate on everything that is well formed.

/// One record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The physical line on which it begins, from 1.
    pub(super) line: u64,
    /// Its cells, without the quotes.
    pub(super) cells: Vec<Vec<u8>>,
    /// What is wrong with its form; the cells are not to be used then.
    pub(super) fault: Option<Fault>,
}

/// A breach of RFC 4180.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The physical line on which it is.
    pub(super) line: u64,
    /// The number of the cell, from 0; none if it is about the record.
    pub(super) cell: Option<usize>,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

/// 64 KiB a record: the largest record that the store keeps, and far above any line of master data.
const MAX_RECORD: usize = 64 << 10;

/// What ended a cell.
#[derive(PartialEq)]
enum End {
    Cell,
    Record,
}

/// Reads records one after the other; empty lines are skipped.
pub(super) struct Records<'a> {
    rest: &'a [u8],
    line: u64,
    fault: Option<Fault>,
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, line: 1, fault: None }
    }

    /// Takes `n` bytes off the front, counting lines.
    fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(n).unwrap_or((self.rest, &[]));
        self.rest = rest;
        self.line = self.line.saturating_add(taken.iter().filter(|b| **b == b'\n').count() as u64);
        taken
    }

    /// Takes a line end off the front, if there is one.
    fn take_line_end(&mut self) -> bool {
        let length = if self.rest.starts_with(b"\r\n") { 2 } else { usize::from(self.rest.starts_with(b"\n")) };
        self.take(length);
        length > 0
    }

    /// Notes the first fault of a record.
    fn fault(&mut self, line: u64, cell: Option<usize>, code: &'static str, message: &'static str) {
        self.fault.get_or_insert(Fault { line, cell, code, message });
    }

    fn cell(&mut self, number: usize, cell: &mut Vec<u8>) -> End {
        if self.rest.first() == Some(&b'"') {
            self.quoted(number, cell);
        }
        self.plain(number, cell)
    }

    /// From an opening quote to behind the closing one.
    fn quoted(&mut self, number: usize, cell: &mut Vec<u8>) {
        let opened = self.line;
        self.take(1);
        loop {
            let Some(quote) = self.rest.iter().position(|b| *b == b'"') else {
                self.take(self.rest.len());
                let message = "this quote is never closed, so everything below it belongs to this cell";
                return self.fault(opened, Some(number), "quote-unclosed", message);
            };
            cell.extend_from_slice(self.take(quote));
            self.take(1);
            if self.rest.first() != Some(&b'"') {
                break;
            }
            cell.extend_from_slice(self.take(1));
        }
        if !self.rest.is_empty() && !self.rest.starts_with(b",") && !self.at_line_end() {
            let message = "there is text behind a closing quote; write a quote within a cell as two quotes";
            self.fault(self.line, Some(number), "quote-misplaced", message);
        }
    }

    fn at_line_end(&self) -> bool {
        self.rest.starts_with(b"\n") || self.rest.starts_with(b"\r\n")
    }

    /// Up to the end of the cell, outside of quotes.
    fn plain(&mut self, number: usize, cell: &mut Vec<u8>) -> End {
        loop {
            let stop = self.rest.iter().position(|b| b",\"\r\n".contains(b)).unwrap_or(self.rest.len());
            cell.extend_from_slice(self.take(stop));
            if self.rest.is_empty() || self.take_line_end() {
                return End::Record;
            }
            match self.take(1) {
                b"," => return End::Cell,
                b"\r" => {
                    let message = "a carriage return stands alone; lines end with LF or CRLF";
                    self.fault(self.line, Some(number), "line-end-invalid", message);
                }
                _ => {
                    let message = "a quote stands within a cell that does not begin with one; put the cell in quotes";
                    self.fault(self.line, Some(number), "quote-misplaced", message);
                }
            }
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.take_line_end() {}
        if self.rest.is_empty() {
            return None;
        }
        let (line, before, mut cells) = (self.line, self.rest.len(), Vec::new());
        loop {
            let mut cell = Vec::new();
            let end = self.cell(cells.len(), &mut cell);
            cells.push(cell);
            if end == End::Record {
                break;
            }
        }
        if before.saturating_sub(self.rest.len()) > MAX_RECORD {
            self.fault(line, None, "record-too-large", "a record has at most 64 KiB");
        }
        Some(Record { line, cells, fault: self.fault.take() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<Record> {
        Records::new(text.as_bytes()).collect()
    }

    #[test]
    fn records_begin_on_the_line_where_they_stand() {
        let records = read("a,b\r\n\r\n\"x\ny\",\"say \"\"no\"\"\"\n\nlast,");
        let shown: Vec<(u64, Vec<String>)> = records
            .into_iter()
            .map(|r| {
                assert_eq!(r.fault, None);
                (r.line, r.cells.into_iter().map(|c| String::from_utf8(c).unwrap()).collect())
            })
            .collect();
        let want = [(1, ["a", "b"]), (3, ["x\ny", "say \"no\""]), (6, ["last", ""])];
        assert_eq!(shown, want.map(|(line, cells)| (line, cells.map(str::to_owned).to_vec())));
    }

    #[test]
    fn every_breach_of_the_form_has_its_code_and_line() {
        let large = format!("a\n\"{}\"\nb", "x".repeat(MAX_RECORD));
        let rows = [
            ("a\nb,\"c\nd\ne", vec![(2, Some(1), "quote-unclosed")]),
            ("a\n\"b\"c,d\ne\"f", vec![(2, Some(0), "quote-misplaced"), (3, Some(0), "quote-misplaced")]),
            ("a\rb\r\nc", vec![(1, Some(0), "line-end-invalid")]),
            (large.as_str(), vec![(2, None, "record-too-large")]),
        ];
        for (text, want) in rows {
            let faults = read(text).into_iter().filter_map(|r| r.fault.map(|f| (f.line, f.cell, f.code)));
            assert_eq!(faults.collect::<Vec<_>>(), want, "{:?}", text.chars().take(20).collect::<String>());
        }
    }

    proptest! {
        /// What the `csv` crate writes (its quoting is always well formed) is read back as it was.
        #[test]
        fn everything_well_formed_is_read_back(
            rows in prop::collection::vec(prop::collection::vec("[a-z,\"\r\n é]{0,6}", 2..5), 0..6),
            crlf: bool,
        ) {
            let terminator = if crlf { ::csv::Terminator::CRLF } else { ::csv::Terminator::Any(b'\n') };
            let mut writer = ::csv::WriterBuilder::new().terminator(terminator).flexible(true).from_writer(Vec::new());
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let bytes = writer.into_inner().unwrap();
            let mut line = 1;
            let records: Vec<Record> = Records::new(&bytes).collect();
            prop_assert_eq!(records.len(), rows.len());
            for (record, row) in records.iter().zip(&rows) {
                prop_assert_eq!(&record.fault, &None);
                prop_assert_eq!(record.line, line);
                prop_assert_eq!(&record.cells, &row.iter().map(|c| c.as_bytes().to_vec()).collect::<Vec<_>>());
                line += 1 + row.iter().flat_map(|c| c.bytes()).filter(|b| *b == b'\n').count() as u64;
            }
        }

        /// Any bytes at all: it ends, keeps nothing back, and agrees with the `csv` crate where it finds no fault.
        #[test]
        fn any_bytes_end_and_agree_with_the_csv_crate(text in "[ab,\"\r\n]{0,24}") {
            let records: Vec<Record> = Records::new(text.as_bytes()).collect();
            if records.iter().all(|r| r.fault.is_none()) {
                let mut reader =
                    ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
                let theirs: Vec<Vec<Vec<u8>>> =
                    reader.byte_records().map(|r| r.unwrap().iter().map(<[u8]>::to_vec).collect()).collect();
                prop_assert_eq!(records.into_iter().map(|r| r.cells).collect::<Vec<_>>(), theirs);
            }
        }
    }
}
