//! `backroom:ledger/bank`: statements beside the books.

use backroom_domain::ledger as domain;
use backroom_domain::rights::Operation;
use backroom_domain::{Error, Id};
use backroom_office::ledger::{self, SuggestedLine as Suggested};

use super::FIXED;
use super::open_items::{item, named};
use crate::bindings::backroom::ledger::bank::{
    Balance, BankLine, Host, Imported, LinePage, Statement, SuggestedLine, Suggestion,
};
use crate::bindings::backroom::ledger::open_items::ItemRef;
use crate::bindings::backroom::types::types::Side;
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn import_statement(&mut self, statement: Statement) -> Result<Imported, HostError> {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let line = |line: &BankLine| 2 * FIXED + text(&line.counterparty) + text(&line.reference);
        let bytes = 3 * FIXED + statement.lines.iter().map(line).sum::<usize>();
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let account = form.id(&statement.account, || "account".to_owned())?;
        let known = (!form.has("id-invalid")).then(|| account.clone());
        let new = new_statement(&mut form, account, &statement)?;
        let right = || ledger::check_bank_right(&self.work, Operation::BankImportStatement, known.as_ref());
        form.finish(right, || Ok(()))?;
        let done = ledger::import_statement(&mut self.work, &new)?;
        self.staged(bytes)?;
        self.guest.leave(FIXED)?;
        let domain::BankStatement { number, added, duplicates, recorded_at, .. } = done.statement;
        let recorded_at = convert::instant(recorded_at);
        Ok(Imported { number, added, duplicates, recorded_at, replayed: done.replayed })
    }

    fn suggest(&mut self, account: String, cursor: Option<String>, limit: u32) -> Result<LinePage, HostError> {
        let _host = self.guest.enter(account.len())?;
        let mut form = Form::default();
        let account = form.id(&account, || "account".to_owned())?;
        form.finish(|| self.work.rights().check_read_ledger(Operation::BankSuggest), || Ok(()))?;
        let page = ledger::suggest_matches(&self.work, &account, &convert::page_request(cursor, limit))?;
        let (items, next) = convert::page(page, suggested);
        self.guest.leave(items.iter().map(|line| 5 * FIXED + 3 * FIXED * line.suggestions.len()).sum())?;
        Ok(LinePage { items, next })
    }

    fn confirm(&mut self, account: String, line: String, of: ItemRef) -> Result<bool, HostError> {
        let _host = self.guest.enter(3 * FIXED)?;
        let mut form = Form::default();
        let account = form.id(&account, || "account".to_owned())?;
        let known = (!form.has("id-invalid")).then(|| account.clone());
        let line = form.id(&line, || "line".to_owned())?;
        let of = item(&mut form, &of, || "item".to_owned())?;
        form.finish(|| ledger::check_bank_right(&self.work, Operation::BankConfirm, known.as_ref()), || Ok(()))?;
        let done = ledger::confirm_line(&mut self.work, &account, &line, &of)?;
        self.staged(4 * FIXED)?;
        self.guest.leave(FIXED)?;
        Ok(done.replayed)
    }

    fn undo(&mut self, account: String, line: String, reason: String) -> Result<bool, HostError> {
        let _host = self.guest.enter(2 * FIXED + reason.len())?;
        let mut form = Form::default();
        let account = form.id(&account, || "account".to_owned())?;
        let known = (!form.has("id-invalid")).then(|| account.clone());
        let line = form.id(&line, || "line".to_owned())?;
        form.finish(|| ledger::check_bank_right(&self.work, Operation::BankUndo, known.as_ref()), || Ok(()))?;
        let done = ledger::undo_confirmation(&mut self.work, &account, &line, &reason)?;
        self.staged(4 * FIXED)?;
        self.guest.leave(FIXED)?;
        Ok(done.replayed)
    }
}

fn new_statement(form: &mut Form, account: Id, statement: &Statement) -> Result<domain::NewStatement, Error> {
    let amount = |balance: Balance| domain::Amount { negative: balance.negative, minor: balance.minor };
    let line = |form: &mut Form, i: usize, line: &BankLine| {
        Ok::<_, Error>(domain::NewBankLine {
            id: form.id(&line.id, || format!("lines[{i}].id"))?,
            date: form.date(line.date, &format!("lines[{i}].date"))?,
            side: match line.side {
                Side::Debit => backroom_domain::Side::Debit,
                Side::Credit => backroom_domain::Side::Credit,
            },
            minor: line.minor,
            counterparty: line.counterparty.clone(),
            reference: line.reference.clone(),
        })
    };
    let lines = statement.lines.iter().enumerate().map(|(i, one)| line(form, i, one)).collect::<Result<_, _>>()?;
    let id = form.id(&statement.id, || "id".to_owned())?;
    Ok(domain::NewStatement {
        id,
        account,
        opening: amount(statement.opening),
        closing: amount(statement.closing),
        lines,
    })
}

fn suggested(row: Suggested) -> SuggestedLine {
    let domain::NewBankLine { id, date, side, minor, counterparty, reference } = row.line.new;
    let (date, side) = (convert::date(date), convert::side(side));
    let suggestion = |found: domain::Suggestion| Suggestion {
        item: named(found.item),
        date: convert::date(found.date),
        score: found.score,
        reasons: found.reasons,
    };
    let suggestions = row.suggestions.into_iter().map(suggestion).collect();
    SuggestedLine { line: BankLine { id: id.into(), date, side, minor, counterparty, reference }, suggestions }
}
