//! `backroom:ledger/rates`: the table of exchange rates.

use backroom_domain::ledger as domain;
use backroom_domain::rights::Operation;
use backroom_domain::{Currency, Decimal, Error};
use backroom_office::ledger;

use super::FIXED;
use crate::bindings::backroom::ledger::rates::{
    FoundRate, Host, NewRate, NewRevaluation, Rate, RatePage, RatesSet, Revaluation, Revalued,
};
use crate::bindings::backroom::types::types::BusinessDate;
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn set(&mut self, book: String, rates: Vec<NewRate>) -> Result<RatesSet, HostError> {
        let bytes = book.len() + rates.len() * 2 * FIXED;
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let id = form.id(&book, || "book".to_owned())?;
        let known = (!form.has("id-invalid")).then(|| id.clone());
        let new = rates.iter().enumerate().map(|(i, rate)| new_rate(&mut form, i, rate));
        let new = new.collect::<Result<Vec<_>, Error>>()?;
        form.finish(
            || self.work.rights().check_rates(Operation::RatesSet, known.as_ref()),
            || domain::rates::check_rates(&new),
        )?;
        let ledger::RatesSet { set, unchanged } = ledger::set_rates(&mut self.work, &id, new)?;
        self.staged(bytes)?;
        self.guest.leave(FIXED)?;
        Ok(RatesSet { set, unchanged })
    }

    fn get(
        &mut self,
        book: String,
        source: String,
        target: String,
        kind: String,
        date: BusinessDate,
    ) -> Result<FoundRate, HostError> {
        let _host = self.guest.enter(book.len() + kind.len() + FIXED)?;
        let mut form = Form::default();
        let id = form.id(&book, || "book".to_owned())?;
        let kind = form.id(&kind, || "kind".to_owned())?;
        let from = currency(&mut form, &source, || "source".to_owned())?;
        let to = currency(&mut form, &target, || "target".to_owned())?;
        let date = form.date(date, "date")?;
        form.finish(|| self.work.rights().check_read_ledger(Operation::RatesGet), || Ok(()))?;
        let found = ledger::get_rate(&self.work, &id, from, to, &kind, date)?;
        self.guest.leave(FIXED)?;
        let (date, rate) = (convert::date(found.date), convert::decimal(found.rate));
        Ok(FoundRate { date, rate, inverse: found.inverse, exact: found.exact })
    }

    fn list(&mut self, book: String, cursor: Option<String>, limit: u32) -> Result<RatePage, HostError> {
        let _host = self.guest.enter(book.len())?;
        let mut form = Form::default();
        let id = form.id(&book, || "book".to_owned())?;
        let request = convert::page_request(cursor, limit);
        let denied = || self.work.rights().check_read_ledger(Operation::RatesList);
        form.finish(denied, || request.check().map(drop))?;
        let (items, next) = convert::page(ledger::list_rates(&self.work, &id, &request)?, given);
        self.guest.leave(items.len() * 3 * FIXED)?;
        Ok(RatePage { items, next })
    }

    fn revalue(&mut self, book: String, revaluation: NewRevaluation) -> Result<Revaluation, HostError> {
        let bytes = book.len() + (revaluation.accounts.len() + 2) * FIXED;
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let of = form.id(&book, || "book".to_owned())?;
        let known = (!form.has("id-invalid")).then(|| of.clone());
        let accounts = revaluation.accounts.iter().enumerate();
        let accounts = accounts.map(|(i, code)| form.id(code, || format!("accounts[{i}]")));
        let accounts = accounts.collect::<Result<_, Error>>()?;
        let new = domain::NewRevaluation {
            id: form.id(&revaluation.id, || "id".to_owned())?,
            as_of: form.date(revaluation.as_of, "as-of")?,
            accounts,
            kind: form.some_id(revaluation.kind.as_ref(), "kind")?,
            reverse: revaluation.reverse,
        };
        form.finish(|| self.work.rights().check_rates(Operation::Revalue, known.as_ref()), || Ok(()))?;
        let ledger::Changed { value, replayed } = ledger::revalue(&mut self.work, &of, new)?;
        self.staged(4 * bytes)?;
        self.guest.leave(value.revalued.len() * 2 * FIXED)?;
        Ok(Revaluation {
            revalued: value.revalued.into_iter().map(revalued).collect(),
            entries: value.entries.into_iter().map(String::from).collect(),
            replayed,
        })
    }
}

fn revalued(one: domain::Revalued) -> Revalued {
    Revalued {
        account: one.account.into(),
        rate: convert::decimal(one.rate),
        rate_date: convert::date(one.rate_date),
        side: convert::side(one.side),
        difference: convert::money(one.difference),
    }
}

fn currency(form: &mut Form, text: &str, field: impl Fn() -> String) -> Result<Currency, Error> {
    let money = crate::bindings::backroom::types::types::Money { minor: 0, currency: text.to_owned() };
    Ok(form.money(&money, field)?.currency)
}

fn new_rate(form: &mut Form, i: usize, rate: &NewRate) -> Result<domain::NewRate, Error> {
    let at = |field: &str| format!("rates[{i}].{field}");
    Ok(domain::NewRate {
        date: form.date(rate.date, &at("date"))?,
        from: currency(form, &rate.source, || at("source"))?,
        to: currency(form, &rate.target, || at("target"))?,
        kind: form.id(&rate.kind, || at("kind"))?,
        // Its bounds are for the domain to check.
        rate: Decimal { mantissa: rate.rate.mantissa, scale: rate.rate.scale },
    })
}

fn given(rate: domain::Rate) -> Rate {
    let domain::Rate { new, actor, recorded_at, .. } = rate;
    Rate {
        date: convert::date(new.date),
        source: new.from.into(),
        target: new.to.into(),
        kind: new.kind.into(),
        rate: convert::decimal(new.rate),
        actor,
        recorded_at: convert::instant(recorded_at),
    }
}
