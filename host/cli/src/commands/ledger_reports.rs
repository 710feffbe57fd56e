//! `backroom ledger`: reports, and the journal as text.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use backroom_domain::ledger::AccountType;
use backroom_domain::ledger::reports::{
    Assertion, Column, Earned, Net, Outcome, Report, ReportKind, ReportRow, ReportTotal, Span, Total,
};
use backroom_domain::ledger::text::Format;
use backroom_domain::{BusinessDate, Currency, Money, Side};
use backroom_office::ledger::reports::{AccountLines, CashFlow, DimensionRow, Explanation, StatedLine, Statement};
use backroom_office::ledger::{BadEntry, Verified};
use clap::{Args, Subcommand};

use super::Context;
use crate::args::{Of, Part};
use crate::client::{path, query};
use crate::exit::{Failure, Result};
use crate::figures::{amount, amount_or_blank, counted};
use crate::output::{Grid, Out, left, right};

/// Reports.
#[derive(Debug, Subcommand)]
pub(crate) enum Reports {
    /// Opening balance, turnover and closing balance of every account, headers with sub-totals.
    #[command(
        after_help = "Example:\n  backroom ledger report trial-balance --tenant harbor --from 2026-01-01 --to 2026-06-30"
    )]
    TrialBalance(Columns),
    /// Assets, liabilities and equity at the end of a day, with the earnings that no closing has moved to equity yet.
    #[command(
        after_help = "Example:\n  backroom ledger report balance-sheet --tenant harbor --to 2026-06-30 --compare ..2025-12-31"
    )]
    BalanceSheet(Columns),
    /// Income and expenses of a span, and the profit or loss.
    #[command(
        after_help = "Example:\n  backroom ledger report income-statement --tenant harbor --from 2026-01-01 --to 2026-06-30 \
        --compare 2025-01-01..2025-06-30"
    )]
    IncomeStatement(Columns),
    /// Where cash came from and went to, by counter-account.
    #[command(
        after_help = "Example:\n  backroom ledger report cash-flow --tenant harbor --cash 1000,11* --from 2026-01-01 --to 2026-06-30"
    )]
    CashFlow {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        days: Days,
        /// The accounts that are cash: codes, `11*` or `1000..1099`, with commas between them.
        #[arg(long, value_name = "CODES")]
        cash: String,
    },
    /// Every account with its lines and the balance behind each.
    #[command(
        after_help = "Example:\n  backroom ledger report general-ledger --tenant harbor --from 2026-06-01 --to 2026-06-30"
    )]
    GeneralLedger {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        days: Days,
    },
    /// Turnover by the values of a dimension.
    #[command(
        after_help = "Example:\n  backroom ledger report by-dimension cost-center --tenant harbor --from 2026-01-01"
    )]
    ByDimension {
        /// The dimension.
        name: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        days: Days,
    },
}

/// From when to when.
#[derive(Debug, Clone, Args)]
pub(crate) struct Days {
    /// The first day, YYYY-MM-DD; from the beginning if not said.
    #[arg(long, value_name = "DATE")]
    from: Option<BusinessDate>,
    /// The last day, YYYY-MM-DD; to the end if not said.
    #[arg(long, value_name = "DATE")]
    to: Option<BusinessDate>,
}

/// The columns of a report.
#[derive(Debug, Clone, Args)]
pub(crate) struct Columns {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    days: Days,
    /// Further columns, such as 2025-01-01..2025-12-31 or ..2024-12-31, with commas between them.
    #[arg(long, value_name = "SPANS")]
    compare: Option<String>,
}

/// One account in detail, or the whole journal.
#[derive(Debug, Args)]
pub(crate) struct Stated {
    /// The account's code.
    account: String,
    #[command(flatten)]
    of: Of,
    /// The day, YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    date: BusinessDate,
    /// What the balance is said to be, such as "1000.50 USD"; "-1000.50 USD" is that much on the other side.
    #[arg(long, value_name = "MONEY", allow_hyphen_values = true)]
    balance: String,
    /// The side that the balance is on: `debit` for what is owned and spent, as is usual of assets and expenses, and `credit` for what is
    /// owed and earned. So "-1000.50 USD" says the same as "1000.50 USD" with `--side credit`.
    #[arg(long, value_name = "SIDE", default_value = "debit", value_parser = ["debit", "credit"])]
    side: String,
    /// Minor units that the two may differ by.
    #[arg(long, value_name = "UNITS", default_value_t = 0)]
    tolerance: u64,
}

impl Days {
    fn pairs(&self) -> [(&'static str, Option<String>); 2] {
        [("from", self.from.map(|day| day.to_string())), ("to", self.to.map(|day| day.to_string()))]
    }
}

impl Reports {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let client = || context.client();
        let to = |of: &Of, rest: &[&str]| path(&[&["v1", "tenants", &of.tenant, "ledger", "reports"], rest].concat());
        match self {
            Self::TrialBalance(columns) => columns.run(context, "trial-balance"),
            Self::BalanceSheet(columns) => columns.run(context, "balance-sheet"),
            Self::IncomeStatement(columns) => columns.run(context, "income-statement"),
            Self::CashFlow { of, days, cash } => {
                let [from, last] = days.pairs();
                let reply =
                    client()?.get(&query(&to(of, &["cash-flow"]), &[("cash", Some(cash.clone())), from, last]))?;
                context.show(&reply, |out, flow: CashFlow| cash_flow(out, &flow))
            }
            Self::GeneralLedger { of, days } => {
                let reply = client()?.get(&query(&to(of, &["general-ledger"]), &days.pairs()))?;
                context.show(&reply, |out, accounts: Vec<AccountLines>| {
                    for own in accounts {
                        out.line(format_args!("{} {}", own.account, own.name));
                        lines(out, own.currency, own.opening, &own.lines);
                    }
                })
            }
            Self::ByDimension { name, of, days } => {
                let reply = client()?.get(&query(&to(of, &["by-dimension", name]), &days.pairs()))?;
                context.show(&reply, |out, rows: Vec<DimensionRow>| dimensions(out, &rows))
            }
        }
    }
}

impl Columns {
    fn run(&self, context: &Context, name: &str) -> Result {
        let to = path(&["v1", "tenants", &self.of.tenant, "ledger", "reports", name]);
        let [from, last] = self.days.pairs();
        let reply = context.client()?.get(&query(&to, &[from, last, ("compare", self.compare.clone())]))?;
        context.show(&reply, |out, report: Report| show(out, &report))
    }
}

impl Stated {
    /// The amount and its side: a minus sign is the other side.
    fn stated(&self) -> Result<(Money, &'static str)> {
        let (text, negative) = match self.balance.trim().strip_prefix('-') {
            Some(text) => (text, true),
            None => (self.balance.trim(), false),
        };
        let money = text.parse().map_err(Failure::usage)?;
        Ok((money, if negative == (self.side == "credit") { "debit" } else { "credit" }))
    }

    /// Does it. A balance that differs is a failure, for scripts.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let (money, side) = self.stated()?;
        let to = path(&["v1", "tenants", &self.of.tenant, "ledger", "accounts", &self.account, "assertion"]);
        let pairs = [
            ("date", Some(self.date.to_string())),
            ("side", Some(side.to_owned())),
            ("balance", Some(money.to_string())),
            ("tolerance", Some(self.tolerance.to_string())),
        ];
        let reply = context.client()?.get(&query(&to, &pairs))?;
        let told: Assertion = reply.read()?;
        context.show(&reply, |out, told: Assertion| {
            out.line(format_args!("{} on {}: {}", self.account, self.date, net(told.balance, money.currency)));
        })?;
        match told.holds {
            true => Ok(()),
            false => {
                let difference = net(told.difference, money.currency);
                Err(Failure::Check(format!("the books have {difference} more than was stated")))
            }
        }
    }
}

/// `backroom ledger statement`.
pub(crate) fn statement(context: &Context, account: &str, of: &Of, days: &Days, part: &Part) -> Result {
    let to = path(&["v1", "tenants", &of.tenant, "ledger", "accounts", account, "statement"]);
    let pairs: Vec<_> = days.pairs().into_iter().chain(part.pairs()).collect();
    let reply = context.client()?.get(&query(&to, &pairs))?;
    context.show(&reply, |out, page: Statement| {
        lines(out, page.currency, page.opening, &page.lines);
        if let Some(next) = page.next {
            out.line(format_args!("more: --cursor {next}"));
        }
    })
}

/// `backroom ledger explain`.
pub(crate) fn explain(context: &Context, account: &str, of: &Of, days: &Days, largest: u32) -> Result {
    let to = path(&["v1", "tenants", &of.tenant, "ledger", "accounts", account, "explanation"]);
    let [from, last] = days.pairs();
    let reply = context.client()?.get(&query(&to, &[from, last, ("largest", Some(largest.to_string()))]))?;
    context.show(&reply, |out, told: Explanation| {
        let text = |of| net(of, told.currency);
        let mut grid = Grid::new(&[left(""), left("What"), right("Entries"), right("Change"), right("Balance")]);
        let blank = String::new;
        grid.row(["opening".to_owned(), blank(), blank(), blank(), text(told.opening)]);
        for month in &told.months {
            let change = minus(month.debits, month.credits);
            let entries = month.entries.to_string();
            grid.row([
                "month".to_owned(),
                format!("{:04}-{:02}", month.year, month.month),
                entries,
                text(change),
                text(month.balance),
            ]);
        }
        for entry in &told.largest {
            let what = entry.description.clone().unwrap_or_else(|| format!("no. {}", entry.number));
            grid.row(["largest".to_owned(), format!("{} {what}", entry.date), blank(), text(entry.change), blank()]);
        }
        grid.row(["rest".to_owned(), blank(), told.rest_entries.to_string(), text(told.rest), blank()]);
        grid.row(["closing".to_owned(), blank(), blank(), blank(), text(told.closing)]);
        out.table(&grid);
    })
}

/// `backroom ledger verify`.
pub(crate) fn verify(context: &Context, of: &Of, from: Option<u64>, to: Option<u64>) -> Result {
    let place = path(&["v1", "tenants", &of.tenant, "ledger", "verification"]);
    let asked = [("from", from.map(|number| number.to_string())), ("to", to.map(|number| number.to_string()))];
    let reply = context.client()?.get(&query(&place, &asked))?;
    context.show(&reply, |out, told: Verified| {
        out.line(format_args!("{} entries are right: no. {} to {}", told.entries, told.from, told.to));
        out.line(format_args!("head  {}", told.head));
    })?;
    match reply.read::<Verified>()?.bad {
        None => Ok(()),
        Some(BadEntry { number, what }) => Err(Failure::Check(format!("no. {number}: {what}"))),
    }
}

/// `backroom ledger allocate`.
pub(crate) fn allocate(context: &Context, of: &Of, money: &str, portions: &[String]) -> Result {
    let to = path(&["v1", "tenants", &of.tenant, "ledger", "allocation"]);
    let pairs = [("amount", Some(money.to_owned())), ("portions", Some(portions.join(",")))];
    let reply = context.client()?.get(&query(&to, &pairs))?;
    context.show(&reply, |out, parts: Vec<Money>| {
        let mut grid = Grid::new(&[left("Portion"), right("Amount")]);
        for (portion, part) in portions.iter().zip(parts) {
            grid.row([portion.clone(), crate::figures::money(part)]);
        }
        out.table(&grid);
    })
}

/// `backroom ledger export`: to a new file, which stands under its name only once it is whole.
pub(crate) fn export(context: &Context, of: &Of, format: &str, to: &PathBuf) -> Result {
    let format: Format = format.parse().map_err(Failure::usage)?;
    if to.exists() {
        return Err(Failure::usage(format!("{} is there already; name a new file", to.display())));
    }
    let client = context.client()?;
    let unfinished = to.with_added_extension("unfinished");
    let failed = || format!("cannot write {}", unfinished.display());
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&unfinished).with_context(failed)?;
    let from = path(&["v1", "tenants", &of.tenant, "ledger", "export"]);
    let from = query(&from, &[("format", Some(format.name().to_owned()))]);
    let written = client.fetch(&from, &mut file).and_then(|()| finish(&file, &unfinished, to));
    let bytes = written.inspect_err(|_| drop(std::fs::remove_file(&unfinished)))?;
    context.out.value(&serde_json::json!({ "file": to, "format": format, "bytes": bytes }));
    context.out.line(format_args!("{} holds the journal: {}", to.display(), counted(bytes, "byte", "bytes")));
    Ok(())
}

fn finish(file: &File, unfinished: &Path, to: &Path) -> Result<u64> {
    let failed = || format!("cannot write {}", unfinished.display());
    file.sync_all().with_context(failed)?;
    std::fs::rename(unfinished, to).with_context(failed)?;
    Ok(file.metadata().with_context(failed)?.len())
}

/// `1,234.50 credit`.
fn net(net: Net, currency: Currency) -> String {
    let side = if net.side == Side::Credit { " credit" } else { "" };
    format!("{}{side}", amount(i128::try_from(net.minor).unwrap_or(i128::MAX), currency))
}

fn minus(debits: u128, credits: u128) -> Net {
    match credits > debits {
        true => Net { side: Side::Credit, minor: credits - debits },
        false => Net { side: Side::Debit, minor: debits - credits },
    }
}

/// The figures of a column that a report is about. In an income statement every type has its own sign: what is less than nothing is
/// negative.
fn cells(report: ReportKind, kind: AccountType, column: &Column, currency: Currency) -> Vec<String> {
    match report {
        ReportKind::TrialBalance => vec![
            net(column.opening, currency),
            amount_or_blank(column.debits, currency),
            amount_or_blank(column.credits, currency),
            net(column.closing, currency),
        ],
        ReportKind::BalanceSheet => vec![net(column.closing, currency)],
        ReportKind::IncomeStatement => {
            let change = minus(column.debits, column.credits);
            let minor = i128::try_from(change.minor).unwrap_or(i128::MAX);
            vec![amount(if change.side == kind.normal_side() { minor } else { -minor }, currency)]
        }
    }
}

/// The figures of a total.
fn total_cells(report: ReportKind, total: &ReportTotal) -> Vec<String> {
    if report != ReportKind::TrialBalance && total.total == Total::Earnings {
        return total.earned.iter().map(|earned| self::earned(*earned, total.currency)).collect();
    }
    let kind = if total.total == Total::Expense { AccountType::Expense } else { AccountType::Income };
    total.columns.iter().flat_map(|column| cells(report, kind, column, total.currency)).collect()
}

/// `500.00 profit`, `500.00 loss`.
fn earned(earned: Earned, currency: Currency) -> String {
    let outcome = match earned.outcome {
        Outcome::Profit => "profit",
        Outcome::Loss => "loss",
    };
    format!("{} {outcome}", amount(i128::try_from(earned.minor).unwrap_or(i128::MAX), currency))
}

fn show(out: Out, report: &Report) {
    let day = |day: Option<BusinessDate>| day.map(|day| day.to_string()).unwrap_or_default();
    for (n, Span { from, to }) in (1..).zip(&report.spans) {
        out.line(format_args!("column {n}: {}..{}", day(*from), day(*to)));
    }
    let per = if report.report == ReportKind::TrialBalance {
        &["Opening", "Debit", "Credit", "Closing"][..]
    } else {
        &["Amount"]
    };
    let mut heads = vec![left("Account"), left("Name"), left("")];
    for _ in &report.spans {
        heads.extend(per.iter().map(|head| right(head)));
    }
    let mut grid = Grid::new(&heads);
    let figures = |row: &ReportRow| {
        row.columns.iter().flat_map(|column| cells(report.report, row.kind, column, row.currency)).collect::<Vec<_>>()
    };
    for row in &report.rows {
        let code = format!("{}{}", "  ".repeat(row.path.len()), row.account);
        let start = [code, row.name.clone(), row.currency.to_string()];
        grid.row(start.into_iter().chain(figures(row)));
    }
    // All that an income statement shows is what was earned.
    let twice = |total: &&ReportTotal| report.report == ReportKind::IncomeStatement && total.total == Total::All;
    for total in report.totals.iter().filter(|total| !twice(total)) {
        let name = format!("{:?}", total.total).to_lowercase();
        let start = ["total".to_owned(), name, total.currency.to_string()];
        grid.row(start.into_iter().chain(total_cells(report.report, total)));
    }
    out.table(&grid);
}

fn lines(out: Out, currency: Currency, opening: Net, lines: &[StatedLine]) {
    let mut grid = Grid::new(&[
        left("Date"),
        right("No."),
        left("Description"),
        right("Debit"),
        right("Credit"),
        right("Balance"),
    ]);
    let blank = String::new;
    grid.row([blank(), blank(), "opening".to_owned(), blank(), blank(), net(opening, currency)]);
    for line in lines {
        let minor = u128::from(line.minor);
        let (debit, credit) = if line.side == Side::Debit { (minor, 0) } else { (0, minor) };
        let text = line.memo.clone().or_else(|| line.description.clone()).unwrap_or_default();
        let (date, number) = (line.date.to_string(), line.number.to_string());
        let (debit, credit) = (amount_or_blank(debit, currency), amount_or_blank(credit, currency));
        grid.row([date, number, text, debit, credit, net(line.balance, currency)]);
    }
    out.table(&grid);
}

fn cash_flow(out: Out, flow: &CashFlow) {
    let mut grid = Grid::new(&[left("Account"), left("Name"), left(""), right("In"), right("Out")]);
    for row in &flow.rows {
        let (inflow, outflow) = (amount_or_blank(row.inflow, row.currency), amount_or_blank(row.outflow, row.currency));
        grid.row([row.account.to_string(), row.name.clone(), row.currency.to_string(), inflow, outflow]);
    }
    out.table(&grid);
    for total in &flow.totals {
        let (opening, closing) = (net(total.opening, total.currency), net(total.closing, total.currency));
        out.line(format_args!("{}: {opening} at the beginning, {closing} at the end", total.currency));
    }
}

fn dimensions(out: Out, rows: &[DimensionRow]) {
    let mut grid = Grid::new(&[left("Value"), left("Account"), left(""), right("Debit"), right("Credit")]);
    for row in rows {
        let value = row.value.as_ref().map(ToString::to_string).unwrap_or_default();
        let (debits, credits) = (amount_or_blank(row.debits, row.currency), amount_or_blank(row.credits, row.currency));
        grid.row([value, row.account.to_string(), row.currency.to_string(), debits, credits]);
    }
    out.table(&grid);
}
