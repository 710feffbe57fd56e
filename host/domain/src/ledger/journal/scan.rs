//! A place within a line that moves on.

use super::At;

/// A line, and how far it has been read.
#[derive(Debug, Clone)]
pub(super) struct Scan<'a> {
    line: u64,
    text: &'a str,
    rest: &'a str,
}

impl<'a> Scan<'a> {
    pub(super) fn new(line: u64, text: &'a str) -> Self {
        Self { line, text, rest: text }
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    /// Where that begins.
    pub(super) fn at(&self) -> At {
        let read = self.text.len().saturating_sub(self.rest.len());
        let column = self.text.get(..read).map_or(0, |text| text.chars().count());
        At { line: self.line, column: u64::try_from(column).unwrap_or(u64::MAX).saturating_add(1) }
    }

    pub(super) fn is_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Moves behind `token`, if it is next.
    pub(super) fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Moves behind all characters that `wanted` wants, and gives them.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        self.take_bytes(end)
    }

    /// Moves `bytes` on, which must end between two characters.
    pub(super) fn take_bytes(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Moves behind blanks and tabs; gives how many.
    pub(super) fn blanks(&mut self) -> usize {
        self.take_while(|c| c == ' ' || c == '\t').len()
    }
}
