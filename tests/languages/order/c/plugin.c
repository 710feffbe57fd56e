/* Adds an order up, and reads five balances: the work that is measured. As `tests/guests/order` in its mode `read`. */
#include "backroom.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool missing(backroom_error *error, const char *field) { return invalid(error, "input-invalid", field, "it is missing, or of another type"); }

static bool text_at(workflow_string_t object, const char *name, workflow_string_t *text, backroom_error *error) {
  workflow_string_t json;
  return (json_member(object, name, &json) && json_text(json, text)) || missing(error, name);
}

static bool number_at(workflow_string_t object, const char *name, uint64_t *number, backroom_error *error) {
  workflow_string_t json;
  return (json_member(object, name, &json) && json_number(json, number)) || missing(error, name);
}

/* The balances of the five accounts, as JSON. */
static bool read_balances(workflow_string_t accounts, char *out, size_t room, backroom_error *error) {
  static const char *const five[] = {"cash", "receivable", "tax", "revenue", "cost"};
  size_t length = 0;
  for (size_t i = 0; i < 5; i++) {
    workflow_string_t account;
    backroom_ledger_balances_balance_t balance;
    if (!text_at(accounts, five[i], &account, error)) return false;
    if (!backroom_ledger_balances_get(&account, NULL, &balance, error)) return false;
    workflow_string_t code = json_quoted(balance.account);
    const char *format = "%s{\"account\":%s,\"debits\":%" PRIu64 ",\"credits\":%" PRIu64 "}";
    int more = snprintf(out + length, room - length, format, i ? "," : "", code.ptr, balance.debits, balance.credits);
    if (more < 0 || (size_t)more >= room - length) return refused(error, "too-long", "the accounts do not fit");
    length += (size_t)more;
  }
  return true;
}

bool exports_workflow_run(workflow_string_t *input, workflow_string_t *output, workflow_error_t *error) {
  workflow_string_t order, accounts, reference, currency, date, rest, line;
  backroom_date day;
  if (!json_member(*input, "order", &order)) return missing(error, "order");
  if (!json_member(order, "accounts", &accounts)) return missing(error, "accounts");
  if (!text_at(order, "reference", &reference, error) || !text_at(order, "currency", &currency, error)) return false;
  if (!text_at(order, "date", &date, error) || !date_parse(date, &day, error)) return false;
  char balances[1024];
  if (!read_balances(accounts, balances, sizeof balances, error)) return false;

  if (!json_member(order, "lines", &rest)) return missing(error, "lines");
  backroom_money total = {.minor = 0, .currency = currency};
  unsigned lines = 0;
  for (; json_item(&rest, &line); lines++) {
    backroom_money price = {.minor = 0, .currency = currency};
    uint64_t quantity;
    if (!number_at(line, "price_minor", &price.minor, error) || !number_at(line, "quantity", &quantity, error)) return false;
    if (!money_times(&price, quantity, &price, error) || !money_plus(&total, &price, &total, error)) return false;
  }
  *output = json_written("{\"reference\":%s,\"lines\":%u,\"total_minor\":%" PRIu64 ",\"balances\":[%s]}", json_quoted(reference).ptr, lines,
                         total.minor, balances);
  return true;
}
