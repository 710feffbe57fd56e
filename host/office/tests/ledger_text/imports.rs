//! What is understood of hledger's journals, and what is refused.

use backroom_domain::ledger::AccountType;
use backroom_domain::rights::Rights;
use backroom_office::Work;
use backroom_office::imports::{self, ImportFailure, ImportSummary};
use backroom_office::ledger::{get_account, get_entry, trial_balance};

use crate::books::{Books, commit, id};

fn apply(work: &mut Work, text: &str) -> Result<ImportSummary, Vec<String>> {
    let set = imports::read(&[("books.journal".to_owned(), text.as_bytes().to_vec())]);
    imports::apply(work, &set).map_err(|failure| match failure {
        ImportFailure::Rows(rows) => rows
            .iter()
            .map(|row| format!("{}:{} {}", row.line.unwrap_or(0), row.column.as_deref().unwrap_or("-"), row.code))
            .collect(),
        failure => panic!("{failure}"),
    })
}

fn faults(text: &str) -> Vec<String> {
    apply(&mut Books::new().work(Rights::all()), text).unwrap_err()
}

/// `account balance currency` of every account that is not at nothing.
fn balances(work: &Work) -> Vec<String> {
    let rows = trial_balance(work, None).unwrap().rows.into_iter();
    rows.map(|row| (i128::from(row.balance.debits) - i128::from(row.balance.credits), row.balance))
        .filter(|(minor, _)| *minor != 0)
        .map(|(minor, balance)| format!("{} {minor} {}", balance.account, balance.currency))
        .collect()
}

const JOURNAL: &str = "\
; A whole year in one page.
# another comment
* and another
comment
2024-01-01 not read
end comment
decimal-mark .
commodity 1,000.00 EUR
commodity $
  format $1,000.00
D 1,000.00 USD
Y2024
payee Landlord
tag project
P 2024-01-01 EUR $1.10
account assets:bank  ; type: C, name: The bank
account Büro  ; type:X
  ; code: 6100
account liabilities:visa

2024/1/5=
";

#[test]
fn faults_have_line_column_and_reason_and_all_come_at_once() {
    let rows: &[(&str, &[&str])] = &[
        (JOURNAL, &["21:9 second-date"]),
        ("2024-01-01=2024-01-02 x\n a  1 USD\n", &["1:11 second-date"]),
        (
            "~ monthly\n  assets:a  1 USD\n  assets:b\n= expr\n",
            &["1:1 periodic-transaction", "4:1 automated-transaction"],
        ),
        (
            "include other.journal\napply account x\nalias a=b\n",
            &["1:1 directive-unknown", "2:1 directive-unknown", "3:1 directive-unknown"],
        ),
        ("2024-13-01 x\n2024-1 x\n1/1 x\n", &["1:1 date-invalid", "2:1 date-invalid", "3:1 date-invalid"]),
        ("2024-01-01 x\n  (assets:a)  1 USD\n  [assets:b]  1 USD\n", &["2:3 virtual-posting", "3:3 virtual-posting"]),
        ("2024-01-01 x\n  assets:a  1 USD {2 USD}\n  assets:b  1 USD (x)\n", &["2:19 lot-price", "3:19 lot-price"]),
        ("2024-01-01 x\n  assets:a\n  assets:b\n", &["3:3 two-left-out"]),
        ("2024-01-01 x\n  assets:a  1 USD\n  assets:b  -2 USD\n", &["1:1 unbalanced"]),
        ("2024-01-01 x\n  assets:a  1 USD @ 2 EUR\n  assets:b  -1 EUR\n", &["1:1 unbalanced"]),
        ("2024-01-01 x\n  assets:a  1 AAPL\n  assets:b\n", &["2:13 commodity-unknown"]),
        ("2024-01-01 x\n  assets:a  1\n  assets:b\n", &["2:13 commodity-missing"]),
        ("2024-01-01 x\n  assets:a  1.005 USD\n  assets:b\n", &["2:13 amount-ambiguous"]),
        ("2024-01-01 x\n  assets:a  1,000 USD\n  assets:b\n", &["2:13 amount-ambiguous"]),
        ("2024-01-01 x\n  assets:a  1.0050 USD\n  assets:b\n", &["2:13 amount-too-precise"]),
        ("2024-01-01 x\n  assets:a  1 USD @ 1.12345 EUR\n  assets:b\n", &["3:3 amount-too-precise"]),
        ("2024-01-01 x\n  assets:a  90071992547409.92 USD\n  assets:b\n", &["2:13 amount-too-large"]),
        ("2024-01-01 x\n  assets:a  = 1 USD\n  assets:b\n", &["2:13 balance-assignment"]),
        ("2024-01-01 x\n  assets:a  1 USD == 1 USD\n  assets:b\n", &["2:19 assertion-unknown"]),
        ("2024-01-01 x\n  assets:a  1 USD = 2 USD\n  assets:b\n", &["2:21 assertion-failed"]),
        ("2024-01-01 x\n  assets:a  1 USD  ; date:2024-02-01\n  assets:b\n", &["2:21 posting-date"]),
        ("2024-01-01 x\n  assets:a  1 USD  ; [2024-02-01]\n  assets:b\n", &["2:21 posting-date"]),
        ("2024-01-01 x\n  Aktiva:a  1 USD\n  assets:b\n", &["2:3 account-type-unknown"]),
        ("2024-01-01 x\n  assets:a  1e3 USD\n  assets:b 1 USD\n", &["2:14 amount-invalid"]),
        ("2024-01-01 x  ; id: -\n  assets:a  1 USD\n  assets:b\n", &["1:1 id-invalid"]),
        ("2024-01-01 (x\n  assets:a  1 USD\n  assets:b\n", &["1:14 code-invalid"]),
        ("2024-01-01 x\n  assets::a  1 USD\n  assets:b\n", &["2:3 account-invalid"]),
        ("2024-01-01 x\n  assets:a  1 USD x\n  assets:b\n", &["2:19 posting-invalid"]),
        ("2024-01-01 x\n  assets:a  1..2 USD\n  assets:b\n", &["2:13 number-invalid"]),
        ("2024-01-01 x\n  assets:a  1 \"x\n  assets:b\n", &["2:15 commodity-invalid"]),
        (
            "2024-01-01 x  ; id: e\n  assets:a  1 USD\n  assets:b\n2024-01-02 x  ; id: e\n  assets:a  1 USD\n  assets:b\n",
            &["4:1 id-twice"],
        ),
        ("account assets:a  b\n", &["1:19 directive-invalid"]),
        ("  assets:a  1 USD\n", &["1:3 line-unknown"]),
        ("?\n", &["1:1 line-unknown"]),
        ("account a  ; type: Q\n", &["1:13 account-type-unknown"]),
        ("2024-01-01 x\n  assets:a b  1 USD\n  assets:a-b\n", &["3:3 account-code-taken"]),
        (
            "account assets:l:m  ; type: L\n2024-01-01 x\n  assets:l:m  1 USD\n  assets:l:n\n",
            &["3:3 type-differs-from-parent"],
        ),
    ];
    for (text, want) in rows {
        assert_eq!(faults(text), *want, "{text}");
    }
    let all: Vec<&str> = rows.iter().filter(|(text, _)| text.starts_with("2024")).map(|(text, _)| *text).collect();
    assert!(faults(&all.join("\n")).len() > 15, "what is wrong in one transaction hides nothing in another");
}

#[test]
fn a_journal_becomes_accounts_and_entries() {
    let text = JOURNAL.trim_end_matches("2024/1/5=\n").to_owned()
        + "\
1/5 * (no. 7) Opening | of the books  ; any comment
  ; id: opening
  assets:bank         $1,000.00
  assets:bank         2.000,00 EUR @ $1.10   ; dim-cost-center: CC-1, in euro
  liabilities:visa    -50  = -50.00 USD
  equity:own capital
2024-01-06 rent
  Büro          10
    ; a note, memo: June
  assets:bank  -10  = 990
2024.01.07 ! exchanged
  assets:bank   -100.00 EUR
  assets:bank    110.00 USD = $1100.00
2024-01-08 nothing
  assets:bank  0
  Büro
";
    // Commas group and points are decimals: as declared.
    let text = text.replace("2.000,00", "2,000.00");
    let books = Books::new();
    let mut work = books.work(Rights::all());
    let summary = apply(&mut work, &text).unwrap();
    assert_eq!((summary.files[0].created, summary.files[0].replayed), (15, 0), "{summary:?}");
    assert_eq!(
        balances(&work),
        [
            "6100 1000 USD",
            "assets:bank:EUR 190000 EUR",
            "assets:bank:USD 110000 USD",
            "equity:conversion:EUR -190000 EUR",
            "equity:conversion:USD 209000 USD",
            "equity:own-capital -315000 USD",
            "liabilities:visa -5000 USD",
        ]
    );
    let bank = get_account(&work, &id("assets:bank")).unwrap().new;
    assert_eq!((bank.name.as_str(), bank.kind, bank.posting), ("The bank", AccountType::Asset, false));
    assert_eq!(get_account(&work, &id("6100")).unwrap().new.kind, AccountType::Expense);
    let opening = get_entry(&work, &id("opening")).unwrap().new;
    assert_eq!(opening.description, "Opening | of the books");
    let euro = opening.lines.iter().find(|line| line.account.as_str() == "assets:bank:EUR").unwrap();
    assert_eq!((euro.memo.as_deref(), euro.dimensions[0].value.as_str()), (Some("in euro"), "CC-1"));
    let rent = get_entry(&work, &id("journal:2024-01-06:1")).unwrap().new;
    assert_eq!(rent.lines[0].memo.as_deref(), Some("June"));
    commit(work);

    // The same again changes nothing, and more of it is added.
    let mut work = books.work(Rights::all());
    let summary = apply(&mut work, &text).unwrap();
    assert_eq!((summary.files[0].created, summary.files[0].replayed), (0, 15));
    assert_eq!(work.tx().changes(), 0);
    let more = text + "2024-12-31 more\n  Büro  1\n  assets:bank\n";
    assert_eq!(apply(&mut work, &more).unwrap().files[0].created, 1);
}

#[test]
fn nothing_is_imported_with_a_fault_anywhere() {
    let mut work = Books::new().work(Rights::all());
    let text =
        "2024-01-01 fine\n  assets:a  1 USD\n  equity:b\n\n2024-01-02 not\n  assets:a  1 USD\n  equity:b  1 USD\n";
    assert_eq!(apply(&mut work, text).unwrap_err(), ["5:1 unbalanced"]);
    assert_eq!(work.tx().changes(), 0);
}

#[test]
fn what_the_records_refuse_is_reported_at_its_line() {
    let books = Books::new();
    let mut work = books.work(Rights::all());
    apply(&mut work, "2024-01-01 a\n  assets:a  1 USD\n  equity:b\n").unwrap();
    commit(work);
    let mut work = books.work(Rights::all());
    let text = "2024-01-01 other\n  assets:a  2 USD\n  equity:b\n2024-01-02 b\n  assets:a  1 EUR\n  equity:c\n";
    let found = apply(&mut work, text).unwrap_err();
    // The account was for one currency alone; that its entries differ as well would be an echo.
    assert_eq!(found, ["2:3 exists-with-different"]);
}
