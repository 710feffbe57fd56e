//! Bytes in, lines of text out.

use std::borrow::Cow;

use crate::guest::MAX_LINE;

/// The line that a stream has begun and not ended.
#[derive(Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Takes `bytes` in and gives every line that they end to `emit`. Of a line that is longer than the log keeps, the rest is
    /// dropped.
    pub(super) fn write(&mut self, bytes: &[u8], mut emit: impl FnMut(&str)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = piece.strip_suffix(b"\n");
            let kept = text.unwrap_or(piece);
            let room = MAX_LINE.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(kept.get(..room).unwrap_or(kept));
            if text.is_some() {
                self.end(&mut emit);
            }
        }
    }

    /// Gives out what has no end of line.
    pub(super) fn finish(&mut self, mut emit: impl FnMut(&str)) {
        if !self.begun.is_empty() {
            self.end(&mut emit);
        }
    }

    fn end(&mut self, emit: &mut impl FnMut(&str)) {
        let line = self.begun.strip_suffix(b"\r").unwrap_or(&self.begun);
        let line = String::from_utf8_lossy(line);
        // A tab is layout, not a trick: it is not for the log to replace it by a mark.
        let line = if line.contains('\t') { Cow::Owned(line.replace('\t', "    ")) } else { line };
        emit(&line);
        self.begun.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(writes: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for bytes in writes {
            lines.write(bytes, |line| found.push(line.to_owned()));
        }
        lines.finish(|line| found.push(line.to_owned()));
        lines.finish(|line| panic!("{line} again"));
        found
    }

    #[test]
    fn lines_are_whole_whatever_the_writes_are() {
        let rows: [(&[&[u8]], &[&str]); 8] = [
            (&[], &[]),
            (&[b""], &[]),
            (&[b"one\n", b"two\n"], &["one", "two"]),
            (&[b"o", b"ne\ntwo\nth", b"ree"], &["one", "two", "three"]),
            (&[b"\n\n"], &["", ""]),
            (&[b"dos\r", b"\nbare\rreturn\n"], &["dos", "bare\rreturn"]),
            (&["caf\u{e9}".as_bytes().split_at(4).0, &[0xA9], b"\tx\n"], &["caf\u{e9}    x"]),
            (&[b"\xff\xfe\n"], &["\u{fffd}\u{fffd}"]),
        ];
        for (writes, wanted) in rows {
            assert_eq!(lines(writes), wanted, "{writes:?}");
        }
    }

    #[test]
    fn a_line_without_an_end_takes_no_more_than_the_log_keeps() {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for _ in 0..1_000 {
            lines.write(&[b'x'; 1_000], |line| panic!("{line}"));
            assert!(lines.begun.len() <= MAX_LINE);
        }
        lines.write(b"y\nz", |line| found.push(line.to_owned()));
        assert_eq!(found, ["x".repeat(MAX_LINE)]);
        lines.finish(|line| found.push(line.to_owned()));
        assert_eq!(found[1], "z");
    }
}
