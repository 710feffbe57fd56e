//! A small client company, set up as a user would: files, import, installation.

use serde_json::{Value, json};

use crate::{Server, root};

const FILES: [(&str, &str); 5] = [
    (
        "accounts.csv",
        "code,name,type,parent,currency,posting,stock-control\n\
         1000,Cash,asset,,USD,yes,no\n\
         1100,Receivables,asset,,USD,yes,no\n\
         1400,Stock,asset,,USD,yes,yes\n\
         2100,Payables,liability,,USD,yes,no\n\
         2200,Sales tax,liability,,USD,yes,no\n\
         3000,Capital,equity,,USD,yes,no\n\
         4000,Sales,income,,USD,yes,no\n\
         5000,Cost of sales,expense,,USD,yes,no\n\
         6100,Office,expense,,USD,yes,no\n\
         9999,Suspense,expense,,USD,yes,no\n",
    ),
    (
        "opening-balances.csv",
        "account,date,debit,credit,currency\n\
         1400,2026-01-01,10000000.00,,USD\n\
         3000,2026-01-01,,10000000.00,USD\n",
    ),
    ("items.csv", "id,name,unit,decimals,tracking,stock-account\nHEADSET-20,Headset,each,0,none,1400\n"),
    (
        "locations.csv",
        "id,name,usage\nWH-MAIN,Main warehouse,internal\nCUSTOMERS,Customers,customer\nOPENING,Opening stock,adjustment\n",
    ),
    (
        "stock.csv",
        "item,location,lot,quantity,value,currency,source\nHEADSET-20,WH-MAIN,,3000000,10000000.00,USD,OPENING\n",
    ),
];

/// The company.
pub struct Company;

impl Company {
    /// Its files by name. Stock enough for any load: the guest `order` takes one each time.
    pub const FILES: &'static [(&'static str, &'static str)] = &FILES;

    /// Makes the tenant, imports its files, and installs the guest `order` under that name.
    pub fn create(server: &Server, tenant: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in FILES {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let installation = folder.path().join("installation.toml");
        let all = "[[grants]]\n[grants.ledger]\nread = [\"*\"]\npost = [\"*\"]\n[grants.inventory]\nread = [\"*\"]\nmove-items = [\"*\"]\nmove-from = [\"*\"]\nmove-to = [\"*\"]\n";
        std::fs::write(&installation, format!("name = \"order\"\n{all}")).expect("written");
        let guest = root().join("tests/guests/order");
        let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
        server.call("POST", "/v1/tenants", Some(&json!({ "id": tenant, "name": "A company" }))).ok();
        let files: Vec<String> = FILES.iter().map(|(name, _)| text(&folder.path().join(name))).collect();
        let mut import = vec!["import", "--tenant", tenant];
        import.extend(files.iter().map(String::as_str));
        server.cli(&import);
        server.cli(&["install", "--tenant", tenant, "--plugin", &text(&guest), "--file", &text(&installation)]);
    }

    /// Debits equal credits, and the stock is worth what its account says.
    pub fn check_books(server: &Server, tenant: &str) {
        let report = server.get(&format!("/v1/tenants/{tenant}/ledger/trial-balance"));
        for total in report["totals"].as_array().expect("totals") {
            assert_eq!(total["debits"], total["credits"], "{tenant}: {report:#}");
        }
        let rows = server.get(&format!("/v1/tenants/{tenant}/inventory/stock-control"));
        let rows = rows["items"].as_array().expect("rows");
        assert!(!rows.is_empty(), "no stock control account");
        for row in rows {
            assert_eq!(row["ledger"], row["stock"], "{tenant}: {row:#}");
        }
    }
}

/// An order for the guest `order`, named by `reference`.
pub fn order(reference: &str) -> Value {
    json!({
        "mode": "book",
        "order": {
            "reference": reference,
            "customer": "Harbour Lane Dental Practice",
            "date": "2026-06-18",
            "currency": "USD",
            "source": "WH-MAIN",
            "destination": "CUSTOMERS",
            "accounts": { "cash": "1000", "receivable": "1100", "tax": "2200", "revenue": "4000", "cost": "5000" },
            "lines": [{ "item": "HEADSET-20", "quantity": 1, "price_minor": 795 }]
        }
    })
}
