//! Workers, and on which days somebody is employed or has a benefit.

use std::collections::BTreeMap;
use std::rc::Rc;

use backroom_domain::BusinessDate;
use backroom_domain::hr::{NewBenefit, NewEmployment, NewWorker};

use super::Answer;
use crate::script::{DAYS, day};

#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    pub(crate) workers: BTreeMap<String, Rc<NewWorker>>,
    pub(crate) employments: Vec<Rc<NewEmployment>>,
    pub(crate) benefits: Vec<Rc<NewBenefit>>,
}

/// Does somebody with this employment work on that day?
fn works(stretch: &NewEmployment, on: BusinessDate) -> bool {
    stretch.from <= on && stretch.to.is_none_or(|to| on <= to)
}

/// The days of a stretch, as far as they are looked at.
fn days(from: BusinessDate, to: Option<BusinessDate>) -> impl Iterator<Item = BusinessDate> {
    (0..DAYS).map(day).filter(move |on| from <= *on && to.is_none_or(|to| *on <= to))
}

impl People {
    pub(super) fn add_worker(&mut self, new: NewWorker) -> Answer<bool> {
        if let Some(old) = self.workers.get(new.id.as_str()) {
            return if **old == new { Ok(false) } else { Err("exists-with-different") };
        }
        self.workers.insert(new.id.to_string(), Rc::new(new));
        Ok(true)
    }

    fn employed(&self, worker: &str, on: BusinessDate) -> Option<&Rc<NewEmployment>> {
        self.employments.iter().find(|stretch| stretch.worker.as_str() == worker && works(stretch, on))
    }

    pub(super) fn employ(&mut self, new: NewEmployment) -> Answer<bool> {
        if new.to.is_some_and(|to| to < new.from) {
            return Err("period-invalid");
        }
        let mine = |old: &&Rc<NewEmployment>| old.worker == new.worker && old.from == new.from;
        if let Some(old) = self.employments.iter().find(mine) {
            return if **old == new { Ok(false) } else { Err("exists-with-different") };
        }
        if !self.workers.contains_key(new.worker.as_str()) {
            return Err("worker-not-found");
        }
        if days(new.from, new.to).any(|on| self.employed(new.worker.as_str(), on).is_some()) {
            return Err("overlapping-employment");
        }
        self.employments.push(Rc::new(new));
        Ok(true)
    }

    pub(super) fn benefit(&mut self, new: NewBenefit) -> Answer<bool> {
        if let Some(old) = self.benefits.iter().find(|old| old.id == new.id) {
            return if **old == new { Ok(false) } else { Err("exists-with-different") };
        }
        if !self.workers.contains_key(new.worker.as_str()) {
            return Err("worker-not-found");
        }
        if !days(new.from, Some(new.to)).all(|on| self.employed(new.worker.as_str(), on).is_some()) {
            return Err("not-employed");
        }
        let mut others = self.benefits.iter().filter(|old| old.worker == new.worker && old.plan == new.plan);
        if others.any(|old| days(old.from, Some(old.to)).any(|on| new.from <= on && on <= new.to)) {
            return Err("overlapping-benefit");
        }
        self.benefits.push(Rc::new(new));
        Ok(true)
    }

    pub(super) fn pay(&self, who: u8, on: u8) -> Answer<Vec<i128>> {
        let stretch = self.employed(&format!("W-{who}"), day(on)).ok_or("not-found")?;
        Ok(stretch.salary.map(|pay| pay.minor.into()).into_iter().collect())
    }
}
