//! What the operator sets. Everything that is missing or wrong is reported at once.

use backroom_sdk::{Error, Id, Money, Problem, host};

/// The configuration of the installation.
pub struct Config {
    /// `plan`: the benefit plan that the lines are recorded under.
    pub plan: Id,
    /// `position`: who gets it, such as `CPA`.
    pub position: Id,
    /// `monthly-amount`: for a whole month, such as `500.00 USD`.
    pub monthly_amount: Money,
    /// `seat-cost`: what an office seat costs a month; not less than the monthly amount.
    pub seat_cost: Money,
    /// `allowance-account`: debited with the allowances.
    pub allowance_account: Id,
    /// `payable-account`: credited with them.
    pub payable_account: Id,
    /// `equipment-account`: debited with the value of the laptops.
    pub equipment_account: Id,
    /// `laptop-item`: what is issued; tracked by serial number.
    pub laptop_item: Id,
    /// `laptop-location`: where it is taken from.
    pub laptop_location: Id,
    /// `staff-location`: where it goes to.
    pub staff_location: Id,
}

/// Reads values and notes what is wrong with them.
struct Reader<F> {
    get: F,
    problems: Vec<Problem>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn wrong(&mut self, key: &str, code: &str, message: String) {
        self.problems.push(Problem { code: code.to_owned(), field: Some(format!("config.{key}")), message });
    }

    fn text(&mut self, key: &str, meaning: &str) -> String {
        let value = (self.get)(key).unwrap_or_default();
        if value.is_empty() {
            self.wrong(key, "config-missing", format!("set {key} to {meaning}"));
        }
        value
    }

    fn money(&mut self, key: &str, meaning: &str) -> Money {
        let value = self.text(key, meaning);
        let money = value.parse().ok().filter(|money: &Money| money.minor > 0);
        if money.is_none() && !value.is_empty() {
            self.wrong(key, "config-invalid", format!("{value:?} is no amount above zero such as 500.00 USD"));
        }
        money.unwrap_or_else(|| Money::new(0, ""))
    }
}

impl Config {
    /// Reads it from the host. Errors: `config-missing`, `config-invalid`.
    pub fn read() -> Result<Self, Error> {
        Self::from(host::config::get)
    }

    fn from(get: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut read = Reader { get, problems: Vec::new() };
        let config = Self {
            plan: read.text("plan", "the benefit plan"),
            position: read.text("position", "the position code that is eligible"),
            monthly_amount: read.money("monthly-amount", "the allowance for a whole month"),
            seat_cost: read.money("seat-cost", "the monthly cost of an office seat"),
            allowance_account: read.text("allowance-account", "the expense account of the allowances"),
            payable_account: read.text("payable-account", "the account of what is owed to staff"),
            equipment_account: read.text("equipment-account", "the expense account of issued equipment"),
            laptop_item: read.text("laptop-item", "the item that is issued"),
            laptop_location: read.text("laptop-location", "the location that laptops are taken from"),
            staff_location: read.text("staff-location", "the location of what staff has"),
        };
        let (amount, seat) = (&config.monthly_amount, &config.seat_cost);
        if read.problems.is_empty() && (amount.currency != seat.currency || amount.minor > seat.minor) {
            let message =
                format!("a seat for {seat} does not cost more than the allowance of {amount}, in the same currency");
            read.wrong("seat-cost", "config-invalid", message);
        }
        if read.problems.is_empty() { Ok(config) } else { Err(Error::Invalid(read.problems)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(key: &str) -> Option<String> {
        let text = match key {
            "monthly-amount" => "500.00 USD",
            "seat-cost" => "1000.00 USD",
            other => other,
        };
        Some(text.to_owned())
    }

    #[test]
    fn a_full_configuration_is_read() {
        let config = Config::from(value).ok().unwrap();
        assert_eq!((config.monthly_amount.minor, config.seat_cost.minor), (50_000, 100_000));
        assert_eq!((config.plan.as_str(), config.staff_location.as_str()), ("plan", "staff-location"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_reported_at_once() {
        let told = |changes: &[(&str, &str)]| -> Vec<String> {
            let get = |key: &str| match changes.iter().find(|(k, _)| *k == key) {
                Some((_, text)) => Some((*text).to_owned()).filter(|text| !text.is_empty()),
                None => value(key),
            };
            match Config::from(get).err() {
                Some(Error::Invalid(problems)) => {
                    problems.into_iter().map(|p| format!("{} {}", p.field.unwrap_or_default(), p.code)).collect()
                }
                other => panic!("{other:?}"),
            }
        };
        let several = told(&[("plan", ""), ("seat-cost", "cheap"), ("laptop-item", "")]);
        let want =
            ["config.plan config-missing", "config.seat-cost config-invalid", "config.laptop-item config-missing"];
        assert_eq!(several, want);
        assert_eq!(told(&[("monthly-amount", "0 USD")]), ["config.monthly-amount config-invalid"]);
        assert_eq!(told(&[("seat-cost", "499.99 USD")]), ["config.seat-cost config-invalid"]);
        assert_eq!(told(&[("seat-cost", "1000.00 EUR")]), ["config.seat-cost config-invalid"]);
    }
}
