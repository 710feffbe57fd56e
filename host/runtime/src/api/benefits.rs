//! `backroom:hr/benefits`: benefit lines.

use backroom_domain::rights::{HrField, Operation};
use backroom_domain::{Id, hr as domain};
use backroom_office::hr;

use super::FIXED;
use crate::bindings::backroom::hr::benefits::{BenefitPage, BusinessDate, Host, NewBenefit, Recorded};
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn record(&mut self, benefit: NewBenefit) -> Result<Recorded, HostError> {
        let bytes = 4 * FIXED;
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let new = convert::new_benefit(&mut form, &benefit)?;
        let plan = Id::parse(&benefit.plan, "").is_ok().then_some(&new.plan);
        let amount = (!form.has("currency-invalid")).then_some(new.amount);
        let denied = || self.work.rights().check_benefit(plan, amount);
        form.finish(denied, || domain::check_benefit(&new))?;
        let hr::Recorded { benefit, replayed } = hr::record_benefit(&mut self.work, new)?;
        self.staged(bytes)?;
        self.guest.leave(FIXED)?;
        Ok(Recorded { recorded_at: convert::instant(benefit.recorded_at), replayed })
    }

    fn list(
        &mut self,
        plan: String,
        first_day: BusinessDate,
        last_day: BusinessDate,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<BenefitPage, HostError> {
        let _host = self.guest.enter(plan.len())?;
        let mut form = Form::default();
        let plan = form.id(&plan, || "plan".to_owned())?;
        let first = form.date(first_day, "first-day")?;
        let last = form.date(last_day, "last-day")?;
        let request = convert::page_request(cursor, limit);
        let check = || request.check().map(drop);
        form.finish(|| self.work.rights().check_read_hr(Operation::ListBenefits, HrField::Benefits), check)?;
        let page = hr::list_benefits(&self.work, &plan, first, last, &request)?;
        let (items, next) = convert::page(page, given);
        self.guest.leave(items.len() * 4 * FIXED)?;
        Ok(BenefitPage { items, next })
    }
}

fn given(benefit: domain::Benefit) -> NewBenefit {
    let domain::NewBenefit { id, worker, plan, from, to, amount, cost_center, entry } = benefit.new;
    NewBenefit {
        id: id.into(),
        worker: worker.into(),
        plan: plan.into(),
        first_day: convert::date(from),
        last_day: convert::date(to),
        amount: convert::money(amount),
        cost_center: cost_center.into(),
        entry: entry.map(String::from),
    }
}
