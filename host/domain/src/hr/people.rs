//! Adding workers and employments.

use crate::hr::{Employment, NewEmployment, NewWorker, Worker};
use crate::shape::Problems;
use crate::{BusinessDate, Class, Error, Result};

/// Keys of secrets are kept under such names, beside those of people.
const RESERVED: &str = "secret:";

/// The longest e-mail address (RFC 5321, section 4.5.3.1.3, without the angle brackets).
pub const MAX_EMAIL: usize = 254;
/// The longest account number; an IBAN has at most 34 characters (ISO 13616), local formats with bank codes may have more.
pub const MAX_BANK_ACCOUNT: usize = 64;

/// The form of the request: `text-invalid`, for every field it holds for.
pub fn check_worker(new: &NewWorker) -> Result<()> {
    let mut problems = Problems::default();
    if new.id.as_str().starts_with(RESERVED) {
        problems.add(
            "worker-reserved",
            || "id".to_owned(),
            || format!("numbers that begin with {RESERVED} are the service's own"),
        );
    }
    problems.text(|| "name".to_owned(), &new.name, 1, 200);
    if let Some(email) = &new.email {
        problems.text(|| "email".to_owned(), email, 1, MAX_EMAIL);
    }
    if let Some(account) = &new.bank_account {
        problems.text(|| "bank-account".to_owned(), account, 1, MAX_BANK_ACCOUNT);
    }
    problems.finish()
}

/// `exists-with-different` unless `new` says what is on record.
pub fn same_worker(existing: &Worker, new: &NewWorker) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.name != new.name => "name",
        () if old.email != new.email => "email",
        () if old.bank_account != new.bank_account => "bank-account",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("worker", &new.id, field))
}

/// The form of the request, all problems together: `period-invalid`, `amount-too-large`.
pub fn check_employment(new: &NewEmployment) -> Result<()> {
    let mut problems = Problems::default();
    if let Some(to) = new.to.filter(|to| *to < new.from) {
        problems.add(
            "period-invalid",
            || "last-day".to_owned(),
            || format!("{to} is before the first day, {}", new.from),
        );
    }
    if let Some(salary) = new.salary {
        problems.amount(|| "salary".to_owned(), salary);
    }
    problems.finish()
}

/// `exists-with-different` unless `new` says what is on record for this worker and first day.
pub fn same_employment(existing: &Employment, new: &NewEmployment) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.to != new.to => "last-day",
        () if old.position != new.position => "position",
        () if old.place != new.place => "place",
        () if old.cost_center != new.cost_center => "cost-center",
        () if old.salary != new.salary => "salary",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("employment", format_args!("of {} from {}", new.worker, new.from), field))
}

/// Whether an employment of valid form can be added. `worker` says whether the worker is on record, `stretches` are all the
/// worker's employments.
///
/// Refusals, in order: `worker-not-found`, `overlapping-employment`.
pub fn add_employment(new: &NewEmployment, worker: bool, stretches: &[Employment]) -> Result<()> {
    if !worker {
        let message = format!("there is no worker {}", new.worker);
        return Err(Error::at(Class::NotFound, "worker-not-found", "worker", message));
    }
    if let Some(other) = stretches.iter().map(|e| &e.new).find(|e| e.touches(Some(new.from), new.to)) {
        let until = other.to.map_or_else(|| "goes on".to_owned(), |to| format!("ends on {to}"));
        let message =
            format!("the employment of {} from {} {until}; end it before this one begins", new.worker, other.from);
        return Err(Error::at(Class::Refused, "overlapping-employment", "first-day", message));
    }
    Ok(())
}

impl NewEmployment {
    /// Whether `day` is a day of this stretch.
    pub fn covers(&self, day: BusinessDate) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }

    /// Whether one of the days from `first` to `last` is a day of this stretch; an end that is not given is open.
    pub fn touches(&self, first: Option<BusinessDate>, last: Option<BusinessDate>) -> bool {
        first.is_none_or(|first| self.to.is_none_or(|to| first <= to)) && last.is_none_or(|last| self.from <= last)
    }

    /// How many of the calendar days from `first` to `last`, both counted, are days of this stretch.
    pub fn days_within(&self, first: BusinessDate, last: BusinessDate) -> u32 {
        self.from.max(first).days_through(self.to.map_or(last, |to| to.min(last)))
    }
}

/// Calendar days from `first` to `last`, both counted, on which someone with these `stretches` is employed. Stretches never
/// overlap, so no day counts twice.
pub fn employed_days(stretches: &[Employment], first: BusinessDate, last: BusinessDate) -> u32 {
    stretches.iter().map(|e| e.new.days_within(first, last)).fold(0, u32::saturating_add)
}
