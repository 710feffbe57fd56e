//! `backroom:hr/workers`: workers and their employments, field by field.

use backroom_domain::rights::{HrField, Operation};
use backroom_domain::{Id, hr as domain};
use backroom_office::hr;

use super::FIXED;
use crate::bindings::backroom::hr::workers::{
    BusinessDate, Employment, EmploymentFilter, EmploymentPage, Host, Money, Place,
};
use crate::convert::{self, Form, denied_first};
use crate::error::HostError;
use crate::limits::InHost;
use crate::state::RunState;

impl Host for RunState {
    fn list_employments(
        &mut self,
        filter: EmploymentFilter,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<EmploymentPage, HostError> {
        let _host = self.guest.enter(0)?;
        let mut form = Form::default();
        let filter = hr::EmploymentFilter {
            first_day: filter.first_day.map(|date| form.date(date, "first-day")).transpose()?,
            last_day: filter.last_day.map(|date| form.date(date, "last-day")).transpose()?,
            position: form.some_id(filter.position.as_ref(), "position")?,
            place: filter.place.map(place_from),
        };
        let request = convert::page_request(cursor, limit);
        let check = || request.check().map(drop);
        form.finish(|| self.work.rights().check_read_hr(Operation::ListEmployments, HrField::Employment), check)?;
        let page = hr::list_employments(&self.work, &filter, &request)?;
        let (items, next) = convert::page(page, given);
        self.guest.leave(items.len() * 2 * FIXED)?;
        Ok(EmploymentPage { items, next })
    }

    fn get_name(&mut self, worker: String) -> Result<String, HostError> {
        let (_host, worker) = self.worker(&worker, Operation::GetName, HrField::Name)?;
        let name = hr::worker_name(&self.work, &worker)?;
        self.guest.leave(name.len())?;
        Ok(name)
    }

    fn get_compensation(&mut self, worker: String, date: BusinessDate) -> Result<Option<Money>, HostError> {
        let _host = self.guest.enter(worker.len())?;
        let mut form = Form::default();
        let worker = form.id(&worker, || "worker".to_owned())?;
        let date = form.date(date, "date")?;
        form.finish(|| self.work.rights().check_read_hr(Operation::GetCompensation, HrField::Compensation), || Ok(()))?;
        let pay = hr::compensation(&self.work, &worker, date)?;
        self.guest.leave(FIXED)?;
        Ok(pay.map(convert::money))
    }

    fn get_bank_account(&mut self, worker: String) -> Result<Option<String>, HostError> {
        let (_host, worker) = self.worker(&worker, Operation::GetBankAccount, HrField::Bank)?;
        let account = hr::bank_account(&self.work, &worker)?;
        self.guest.leave(account.as_ref().map_or(0, String::len))?;
        Ok(account)
    }
}

impl RunState {
    /// Begins a call about one field of a worker.
    fn worker(&mut self, worker: &str, operation: Operation, field: HrField) -> Result<(InHost, Id), HostError> {
        let host = self.guest.enter(worker.len())?;
        let id = Id::parse(worker, "worker");
        let id = id.map_err(|error| denied_first(self.work.rights().check_read_hr(operation, field), error))?;
        Ok((host, id))
    }
}

fn place_from(place: Place) -> domain::Place {
    match place {
        Place::Office => domain::Place::Office,
        Place::Remote => domain::Place::Remote,
        Place::Hybrid => domain::Place::Hybrid,
    }
}

/// The salary has a function of its own.
fn given(employment: domain::Employment) -> Employment {
    let domain::NewEmployment { worker, from, to, position, place, cost_center, salary: _ } = employment.new;
    let place = match place {
        domain::Place::Office => Place::Office,
        domain::Place::Remote => Place::Remote,
        domain::Place::Hybrid => Place::Hybrid,
    };
    Employment {
        worker: worker.into(),
        first_day: convert::date(from),
        last_day: to.map(convert::date),
        position: position.into(),
        place,
        cost_center: cost_center.into(),
    }
}
