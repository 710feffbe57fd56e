//! Every route, as data: the router is built from this table, and a test asks each row without a key, with the key of
//! another tenant, and with one that may not.
//!
//! Handlers are short: who calls, bounded input, one use case.

mod backups;
mod figures;
mod files;
mod health;
mod hr;
mod imports;
mod installations;
mod inventory;
mod keys;
mod ledger;
mod log;
mod plugins;
mod queue;
mod reports;
mod runs;
mod secrets;
mod store;
mod tenants;
mod transfers;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, post, put};

use crate::auth::Access;
use crate::layers;
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
    route(POST, "/v1/tenants", Admin, || post(tenants::create)),
    route(GET, "/v1/tenants", Admin, || get(tenants::list)),
    route(GET, "/v1/tenants/{tenant}", Read, || get(tenants::show)),
    route(POST, "/v1/keys", Admin, || post(keys::create)),
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
    route(GET, "/v1/tenants/{tenant}/ledger/entries", Read, || get(ledger::entries)),
    route(GET, "/v1/tenants/{tenant}/ledger/entries/{id}", Read, || get(ledger::entry)),
    route(GET, "/v1/tenants/{tenant}/ledger/trial-balance", Read, || get(ledger::trial_balance)),
    route(GET, "/v1/tenants/{tenant}/ledger/accounts/{code}/statement", Read, || get(reports::statement)),
    route(GET, "/v1/tenants/{tenant}/ledger/accounts/{code}/explanation", Read, || get(reports::explanation)),
    route(GET, "/v1/tenants/{tenant}/ledger/accounts/{code}/assertion", Read, || get(reports::assertion)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/trial-balance", Read, || get(reports::trial_balance)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/balance-sheet", Read, || get(reports::balance_sheet)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/income-statement", Read, || get(reports::income_statement)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/cash-flow", Read, || get(reports::cash_flow)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/general-ledger", Read, || get(reports::general_ledger)),
    route(GET, "/v1/tenants/{tenant}/ledger/reports/by-dimension/{name}", Read, || get(reports::by_dimension)),
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
