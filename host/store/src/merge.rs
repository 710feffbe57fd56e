//! Two sorted sequences read as one: what is above hides what is below.

use std::cmp::Ordering;
use std::iter::Peekable;

use crate::engine::Value;
use crate::error::StoreError;

/// Merges changes (`None` deletes) over pairs. Both must be sorted the same way, each key once.
pub(crate) struct Merge<Upper: Iterator, Lower: Iterator> {
    upper: Peekable<Upper>,
    lower: Peekable<Lower>,
    reverse: bool,
}

impl<Upper, Lower> Merge<Upper, Lower>
where
    Upper: Iterator<Item = (Value, Option<Value>)>,
    Lower: Iterator<Item = Result<(Value, Value), StoreError>>,
{
    pub(crate) fn new(upper: Upper, lower: Lower, reverse: bool) -> Self {
        Self { upper: upper.peekable(), lower: lower.peekable(), reverse }
    }

    /// Which side comes next; `Equal` when both have the same key.
    fn next_side(&mut self) -> Option<Ordering> {
        match (self.upper.peek(), self.lower.peek()) {
            (None, None) => None,
            (None, Some(_)) | (_, Some(Err(_))) => Some(Ordering::Greater),
            (Some(_), None) => Some(Ordering::Less),
            (Some((above, _)), Some(Ok((below, _)))) => {
                let order = above[..].cmp(&below[..]);
                Some(if self.reverse { order.reverse() } else { order })
            }
        }
    }
}

impl<Upper, Lower> Iterator for Merge<Upper, Lower>
where
    Upper: Iterator<Item = (Value, Option<Value>)>,
    Lower: Iterator<Item = Result<(Value, Value), StoreError>>,
{
    type Item = Result<(Value, Value), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let side = self.next_side()?;
            if side == Ordering::Greater {
                return self.lower.next();
            }
            if side == Ordering::Equal {
                self.lower.next();
            }
            if let Some((key, Some(value))) = self.upper.next() {
                return Some(Ok((key, value)));
            }
        }
    }
}
