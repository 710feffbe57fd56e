//! Every route, as data: the router is built from this table, and a test asks each row without a key, with the key of
//! another tenant, and with one that may not.
//!
//! Handlers are short: who calls, bounded input, one use case.

pub(crate) mod backups;
pub(crate) mod controls;
pub(crate) mod figures;
pub(crate) mod files;
pub(crate) mod health;
pub(crate) mod hr;
pub(crate) mod imports;
pub(crate) mod installations;
pub(crate) mod inventory;
pub(crate) mod items;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod ledger_writes;
pub(crate) mod log;
pub(crate) mod plugins;
pub(crate) mod queue;
pub(crate) mod reports;
pub(crate) mod runs;
pub(crate) mod secrets;
pub(crate) mod store;
pub(crate) mod tenants;
pub(crate) mod transfers;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, post, put};

use crate::auth::Access;
use crate::layers;
use crate::openapi;
use crate::service::Api;

/// One route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path; parts in braces are parameters, percent-encoded where they hold `/`.
    pub path: &'static str,
    /// What it asks of its caller.
    pub access: Access,
    handler: fn() -> MethodRouter<Api>,
}

const fn route(method: Method, path: &'static str, access: Access, handler: fn() -> MethodRouter<Api>) -> Route {
    Route { method, path, access, handler }
}

use Access::{Admin, Key, Open, Read, Write};
const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;

/// All routes.
pub static ROUTES: &[Route] = &[
    route(GET, "/healthz", Open, || get(health::live)),
    route(GET, "/readyz", Open, || get(health::ready)),
    route(GET, "/v1/openapi.json", Open, || get(openapi::show)),
    route(POST, "/v1/tenants", Admin, || post(tenants::create)),
    route(GET, "/v1/tenants", Admin, || get(tenants::list)),
    route(GET, "/v1/tenants/{tenant}", Read, || get(tenants::show)),
    route(POST, "/v1/keys", Admin, || post(keys::create)),
    route(GET, "/v1/keys", Admin, || get(keys::list)),
    route(DELETE, "/v1/keys/{id}", Admin, || delete(keys::withdraw)),
    route(POST, "/v1/plugins", Admin, || post(plugins::upload)),
    route(GET, "/v1/plugins", Admin, || get(plugins::list)),
    route(GET, "/v1/plugins/{digest}", Key, || get(plugins::show)),
    route(POST, "/v1/log/verify", Admin, || post(log::verify)),
    route(GET, "/v1/log/status", Admin, || get(log::status)),
    route(POST, "/v1/store/compaction", Admin, || post(store::compact)),
    route(GET, "/v1/figures", Admin, || get(figures::show)),
    route(GET, "/v1/queue", Admin, || get(queue::status)),
    route(POST, "/v1/backups", Admin, || post(backups::make)),
    route(POST, "/v1/tenant-exports", Admin, || post(transfers::export)),
    route(POST, "/v1/tenant-imports", Admin, || post(transfers::import)),
    route(PUT, "/v1/file-quotas", Admin, || put(files::quota)),
    route(PUT, "/v1/tenant-limits", Admin, || put(tenants::limit)),
    route(GET, "/v1/tenants/{tenant}/limits", Read, || get(tenants::limits)),
    // A file may hold what a reader may not read, and nobody can tell.
    route(GET, "/v1/tenants/{tenant}/files", Write, || get(files::folders)),
    route(GET, "/v1/tenants/{tenant}/files/{folder}", Write, || get(files::list)),
    route(GET, "/v1/tenants/{tenant}/files/{folder}/{path}", Write, || get(files::get)),
    route(PUT, "/v1/tenants/{tenant}/files/{folder}/{path}", Write, || put(files::put)),
    route(DELETE, "/v1/tenants/{tenant}/files/{folder}/{path}", Write, || delete(files::delete)),
    route(GET, "/v1/tenants/{tenant}/secrets", Write, || get(secrets::list)),
    route(PUT, "/v1/tenants/{tenant}/secrets/{name}", Write, || put(secrets::set)),
    route(DELETE, "/v1/tenants/{tenant}/secrets/{name}", Write, || delete(secrets::delete)),
    route(POST, "/v1/tenants/{tenant}/imports", Write, || post(imports::import)),
    route(GET, "/v1/tenants/{tenant}/installations", Read, || get(installations::list)),
    route(PUT, "/v1/tenants/{tenant}/installations/{name}", Write, || put(installations::install)),
    route(GET, "/v1/tenants/{tenant}/installations/{name}", Read, || get(installations::show)),
    route(POST, "/v1/tenants/{tenant}/installations/{name}/runs", Write, || post(runs::run)),
    route(GET, "/v1/tenants/{tenant}/runs", Read, || get(runs::list)),
    // Output and log are the plugin's own words, which may say what a reader may not read.
    route(GET, "/v1/tenants/{tenant}/runs/{id}", Write, || get(runs::show)),
    route(POST, "/v1/tenants/{tenant}/runs/{id}/replay", Write, || post(runs::replay)),
    route(GET, "/v1/tenants/{tenant}/ledger/accounts", Read, || get(ledger::accounts)),
    route(GET, "/v1/tenants/{tenant}/ledger/accounts/{code}", Read, || get(ledger::account)),
    route(GET, "/v1/tenants/{tenant}/ledger/accounts/{code}/balance", Read, || get(ledger::balance)),
    route(POST, "/v1/tenants/{tenant}/ledger/accounts", Write, || post(ledger_writes::create_account)),
    route(PUT, "/v1/tenants/{tenant}/ledger/accounts/{code}", Write, || put(ledger_writes::update_account)),
    route(POST, "/v1/tenants/{tenant}/ledger/accounts/{code}/close", Write, || post(ledger_writes::close_account)),
    route(POST, "/v1/tenants/{tenant}/ledger/accounts/{code}/reopen", Write, || post(ledger_writes::reopen_account)),
    route(GET, "/v1/tenants/{tenant}/ledger/balances", Read, || get(ledger::balances)),
    route(GET, "/v1/tenants/{tenant}/ledger/books", Read, || get(ledger::books)),
    route(POST, "/v1/tenants/{tenant}/ledger/books", Write, || post(ledger_writes::create_book)),
    route(GET, "/v1/tenants/{tenant}/ledger/books/{id}", Read, || get(ledger::book)),
    route(POST, "/v1/tenants/{tenant}/ledger/entries", Write, || post(ledger_writes::post)),
    route(POST, "/v1/tenants/{tenant}/ledger/batches", Write, || post(ledger_writes::post_batch)),
    route(POST, "/v1/tenants/{tenant}/ledger/reversals", Write, || post(ledger_writes::reverse)),
    route(GET, "/v1/tenants/{tenant}/ledger/holds", Read, || get(ledger::holds)),
    route(POST, "/v1/tenants/{tenant}/ledger/holds", Write, || post(ledger_writes::hold)),
    route(GET, "/v1/tenants/{tenant}/ledger/holds/{id}", Read, || get(ledger::hold)),
    route(POST, "/v1/tenants/{tenant}/ledger/settlements", Write, || post(ledger_writes::settle)),
    route(POST, "/v1/tenants/{tenant}/ledger/releases", Write, || post(ledger_writes::release)),
    route(GET, "/v1/tenants/{tenant}/ledger/entries", Read, || get(ledger::entries)),
    route(GET, "/v1/tenants/{tenant}/ledger/entries/{id}", Read, || get(ledger::entry)),
    route(GET, "/v1/tenants/{tenant}/ledger/trial-balance", Read, || get(ledger::trial_balance)),
    route(GET, "/v1/tenants/{tenant}/ledger/periods", Read, || get(controls::periods)),
    route(POST, "/v1/tenants/{tenant}/ledger/period-locks", Write, || post(controls::lock)),
    route(POST, "/v1/tenants/{tenant}/ledger/period-reopenings", Write, || post(controls::reopen)),
    route(PUT, "/v1/tenants/{tenant}/ledger/future-limit", Write, || put(controls::limit_future)),
    route(GET, "/v1/tenants/{tenant}/ledger/lock-exceptions", Read, || get(controls::exceptions)),
    route(POST, "/v1/tenants/{tenant}/ledger/lock-exceptions", Write, || post(controls::grant_exception)),
    route(GET, "/v1/tenants/{tenant}/ledger/lock-exceptions/{id}/uses", Read, || get(controls::exception_uses)),
    route(POST, "/v1/tenants/{tenant}/ledger/lock-exceptions/{id}/revocation", Write, || {
        post(controls::revoke_exception)
    }),
    route(POST, "/v1/tenants/{tenant}/ledger/year-closings", Write, || post(controls::close_year)),
    route(GET, "/v1/tenants/{tenant}/ledger/openings", Read, || get(controls::openings)),
    route(POST, "/v1/tenants/{tenant}/ledger/revaluations", Write, || post(controls::revalue)),
    route(GET, "/v1/tenants/{tenant}/ledger/rate", Read, || get(controls::rate)),
    route(GET, "/v1/tenants/{tenant}/ledger/rates", Read, || get(controls::rates)),
    route(POST, "/v1/tenants/{tenant}/ledger/rates", Write, || post(controls::set_rates)),
    route(GET, "/v1/tenants/{tenant}/ledger/budgets", Read, || get(controls::budgets)),
    route(PUT, "/v1/tenants/{tenant}/ledger/budgets", Write, || put(controls::set_budget)),
    route(GET, "/v1/tenants/{tenant}/ledger/budgets/{id}", Read, || get(controls::budget)),
    route(GET, "/v1/tenants/{tenant}/ledger/accounts/{code}/statement", Read, || get(reports::statement)),
    route(GET, "/v1/tenants/{tenant}/ledger/accounts/{code}/explanation", Read, || get(reports::explanation)),
    route(GET, "/v1/tenants/{tenant}/ledger/accounts/{code}/assertion", Read, || get(reports::assertion)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/trial-balance", Read, || get(reports::trial_balance)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/balance-sheet", Read, || get(reports::balance_sheet)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/income-statement", Read, || get(reports::income_statement)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/cash-flow", Read, || get(reports::cash_flow)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/general-ledger", Read, || get(reports::general_ledger)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/by-dimension/{name}", Read, || get(reports::by_dimension)),
    route(GET, "/v1/tenants/{tenant}/ledger/open-items", Read, || get(items::open)),
    route(GET, "/v1/tenants/{tenant}/ledger/ageing", Read, || get(items::ageing)),
    route(POST, "/v1/tenants/{tenant}/ledger/matches", Write, || post(items::matched)),
    route(POST, "/v1/tenants/{tenant}/ledger/matches/{id}/undoing", Write, || post(items::unmatched)),
    route(POST, "/v1/tenants/{tenant}/ledger/bank-statements", Write, || post(items::import)),
    route(GET, "/v1/tenants/{tenant}/ledger/bank-lines/{account}", Read, || get(items::suggestions)),
    route(PUT, "/v1/tenants/{tenant}/ledger/bank-lines/{account}/{line}/confirmation", Write, || put(items::confirm)),
    route(POST, "/v1/tenants/{tenant}/ledger/bank-lines/{account}/{line}/undoing", Write, || post(items::undo)),
    route(GET, "/v1/tenants/{tenant}/ledger/verification", Read, || get(reports::verification)),
    route(GET, "/v1/tenants/{tenant}/ledger/allocation", Read, || get(reports::allocation)),
    route(GET, "/v1/tenants/{tenant}/ledger/export", Read, || get(reports::text)),
    route(GET, "/v1/tenants/{tenant}/hr/workers", Read, || get(hr::workers)),
    route(GET, "/v1/tenants/{tenant}/hr/workers/{id}", Read, || get(hr::worker)),
    route(POST, "/v1/tenants/{tenant}/hr/workers/{id}/erasure", Write, || post(hr::erase)),
    route(GET, "/v1/tenants/{tenant}/hr/employments", Read, || get(hr::employments)),
    route(GET, "/v1/tenants/{tenant}/hr/benefits", Read, || get(hr::benefits)),
    route(GET, "/v1/tenants/{tenant}/inventory/items", Read, || get(inventory::items)),
    route(GET, "/v1/tenants/{tenant}/inventory/items/{id}", Read, || get(inventory::item)),
    route(GET, "/v1/tenants/{tenant}/inventory/items/{id}/on-hand", Read, || get(inventory::on_hand)),
    route(GET, "/v1/tenants/{tenant}/inventory/items/{id}/valuation", Read, || get(inventory::valuation)),
    route(GET, "/v1/tenants/{tenant}/inventory/locations", Read, || get(inventory::locations)),
    route(GET, "/v1/tenants/{tenant}/inventory/moves", Read, || get(inventory::moves)),
    route(GET, "/v1/tenants/{tenant}/inventory/valuations", Read, || get(inventory::valuations)),
    route(GET, "/v1/tenants/{tenant}/inventory/stock-control", Read, || get(inventory::stock_control)),
];

/// Routes whose answer takes as long as it takes.
pub(crate) const LONG: [&str; 5] = [
    "/v1/backups",
    "/v1/store/compaction",
    "/v1/tenant-exports",
    "/v1/tenant-imports",
    "/v1/tenants/{tenant}/ledger/export",
];

/// The router over the table.
pub(crate) fn router(api: Api) -> Router {
    let routes = ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.handler)()));
    // Every handler that reads a body bounds it by itself, with the limit of its kind.
    layers::around(routes.layer(DefaultBodyLimit::disable()).with_state(api.clone()), api)
}
