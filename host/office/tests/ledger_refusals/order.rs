//! Tables of refusals: each is made to happen alone, and together with each that comes behind it.

use crate::books::Books;

/// One thing that is wrong with a request, and what must come of it.
pub(crate) struct Defect<T> {
    /// The code of the refusal.
    pub(crate) code: &'static str,
    /// What of the request it is in. Two defects of one place cannot stand together, as a request has one id, one date, and so on.
    pub(crate) place: &'static str,
    /// Spoils a good request, and takes no other defect away.
    pub(crate) spoil: fn(&mut T),
}

/// A defect that stands together with any other.
pub(crate) const fn defect<T>(code: &'static str, spoil: fn(&mut T)) -> Defect<T> {
    Defect { code, place: "", spoil }
}

/// A defect of a place.
pub(crate) const fn of<T>(place: &'static str, code: &'static str, spoil: fn(&mut T)) -> Defect<T> {
    Defect { code, place, spoil }
}

/// The refusals of an operation, in the order of the contract.
pub(crate) struct Table<T: 'static> {
    /// The use case, as it is called.
    pub(crate) operation: &'static str,
    /// The books that the requests are made to. Nothing that is asked of them is kept.
    pub(crate) books: fn() -> Books,
    /// A request that is not refused.
    pub(crate) good: fn() -> T,
    /// Makes the request; gives the code of its refusal.
    pub(crate) ask: fn(&Books, T) -> Result<(), String>,
    /// In order.
    pub(crate) defects: &'static [Defect<T>],
}

/// A table of any request.
pub(crate) trait Ordered {
    /// The use case.
    fn operation(&self) -> &'static str;
    /// The codes in order; one that can be made to happen in several ways may come again.
    fn codes(&self) -> Vec<&'static str>;
    /// Asks for everything that the table has; gives what came out otherwise.
    fn check(&self) -> Vec<String>;
}

impl<T> Ordered for Table<T> {
    fn operation(&self) -> &'static str {
        self.operation
    }

    fn codes(&self) -> Vec<&'static str> {
        self.defects.iter().map(|defect| defect.code).collect()
    }

    fn check(&self) -> Vec<String> {
        let mut otherwise = Vec::new();
        let books = (self.books)();
        let ask = |defects: &[&Defect<T>]| {
            let mut request = (self.good)();
            // Where two would write the same, the first is what must be seen.
            defects.iter().rev().for_each(|defect| (defect.spoil)(&mut request));
            (self.ask)(&books, request)
        };
        let operation = self.operation;
        if let Err(code) = ask(&[]) {
            otherwise.push(format!("{operation}: the good request is {code}"));
        }
        for (i, first) in self.defects.iter().enumerate() {
            let alone = ask(&[first]);
            if alone != Err(first.code.to_owned()) {
                otherwise.push(format!("{operation}: {} alone is {alone:?}", first.code));
            }
            let behind = &self.defects[i + 1..];
            let together = |second: &&Defect<T>| first.place.is_empty() || first.place != second.place;
            for second in behind.iter().filter(together) {
                let got = ask(&[first, second]);
                if got != Err(first.code.to_owned()) {
                    otherwise.push(format!("{operation}: {} with {} is {got:?}", first.code, second.code));
                }
            }
        }
        otherwise
    }
}

/// The result of a use case as a table wants it.
pub(crate) fn said<T>(done: backroom_office::Result<T>) -> Result<(), String> {
    match done {
        Ok(_) => Ok(()),
        Err(backroom_office::Failure::Business(error)) => Err(error.code().to_owned()),
        Err(failure) => panic!("{failure}"),
    }
}
