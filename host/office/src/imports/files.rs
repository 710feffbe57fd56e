//! The files that are known, and their columns.

/// A file of an import, in the order in which they are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// `accounts.csv`: the chart of accounts.
    Accounts,
    /// `opening-balances.csv`: one entry that opens the books.
    OpeningBalances,
    /// `books.journal`: a journal of hledger.
    Journal,
    /// `workers.csv`: people.
    Workers,
    /// `employments.csv`: what they do from when to when.
    Employments,
    /// `items.csv`: what is kept in stock.
    Items,
    /// `locations.csv`: where stock can be.
    Locations,
    /// `lots.csv`: lots and serial numbers.
    Lots,
    /// `stock.csv`: what is where when the books are opened.
    Stock,
}

impl File {
    /// Every file, in the order in which they are applied.
    pub const ALL: [Self; 9] = [
        Self::Accounts,
        Self::OpeningBalances,
        Self::Journal,
        Self::Workers,
        Self::Employments,
        Self::Items,
        Self::Locations,
        Self::Lots,
        Self::Stock,
    ];

    /// The name it must be sent under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts.csv",
            Self::OpeningBalances => "opening-balances.csv",
            Self::Journal => "books.journal",
            Self::Workers => "workers.csv",
            Self::Employments => "employments.csv",
            Self::Items => "items.csv",
            Self::Locations => "locations.csv",
            Self::Lots => "lots.csv",
            Self::Stock => "stock.csv",
        }
    }

    /// The file of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }

    /// Its columns, all of which must be in the header row; none of one that is no CSV.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Accounts => &["code", "name", "type", "parent", "currency", "posting", "stock-control"],
            Self::OpeningBalances => &["account", "date", "debit", "credit", "currency"],
            Self::Journal => &[],
            Self::Workers => &["id", "name", "email", "bank-account"],
            Self::Employments => {
                &["worker", "first-day", "last-day", "position", "place", "cost-center", "salary", "currency"]
            }
            Self::Items => &["id", "name", "unit", "decimals", "tracking", "stock-account"],
            Self::Locations => &["id", "name", "usage"],
            Self::Lots => &["id", "item", "expiry"],
            Self::Stock => &["item", "location", "lot", "quantity", "value", "currency", "source"],
        }
    }

    /// The column that a field of a use case's error is about. Most have the same name.
    pub(super) fn column_of(self, field: &str) -> Option<&'static str> {
        let field = match (self, field) {
            (Self::Stock, "destination") => "location",
            (Self::Stock, "cost") => "value",
            (Self::Employments, "from") => "first-day",
            (Self::Employments, "to") => "last-day",
            _ => field,
        };
        // `salary.currency` is within `salary`.
        let field = field.split('.').next().unwrap_or(field);
        self.columns().iter().find(|c| **c == field).copied()
    }
}
