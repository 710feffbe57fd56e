/* The SDK's own helpers, beside the functions of the contract. */
#include "values.h"

static bool money(text *out, bool good, const backroom_money *money) {
  if (good) write_types_money(out, money);
  return good;
}

static bool day(text *out, backroom_date date) {
  write_types_business_date(out, &date);
  return true;
}

static bool shown(text *out, bool good, workflow_string_t text) {
  if (good) put_text(out, text);
  return good;
}

static bool of_money(workflow_string_t name, const workflow_string_t *args, text *out, backroom_error *error) {
  backroom_money made, one = read_types_money(args[0]);
  if (is(name, "sdk.plus")) {
    backroom_money other = read_types_money(args[1]);
    return money(out, money_plus(&one, &other, &made, error), &made);
  }
  if (is(name, "sdk.times")) return money(out, money_times(&one, read_number(args[1]), &made, error), &made);
  if (is(name, "sdk.share")) {
    return money(out, money_share(&one, read_number(args[1]), read_number(args[2]), &made, error), &made);
  }
  return shown(out, true, is(name, "sdk.show-money") ? money_text(&one) : amount_text(&one));
}

static bool of_month(workflow_string_t name, const workflow_string_t *args, text *out, backroom_error *error) {
  backroom_month month, moved;
  if (!month_parse(read_text(args[0]), &month, error)) return false;
  if (is(name, "sdk.month-first")) return day(out, month_first(month));
  if (is(name, "sdk.month-last")) return day(out, month_last(month));
  if (is(name, "sdk.month-next")) {
    bool good = month_next(month, &moved, error);
    return shown(out, good, good ? month_text(moved) : text_of(""));
  }
  if (is(name, "sdk.month-previous")) {
    bool good = month_previous(month, &moved, error);
    return shown(out, good, good ? month_text(moved) : text_of(""));
  }
  return shown(out, true, month_text(month));
}

static bool of_date(workflow_string_t name, const workflow_string_t *args, text *out, backroom_error *error) {
  backroom_date date;
  if (!date_parse(read_text(args[0]), &date, error)) return false;
  if (is(name, "sdk.show-date")) return shown(out, true, date_text(date));
  if (is(name, "sdk.month-of")) return shown(out, true, month_text(month_of(date)));
  if (is(name, "sdk.first-of-month")) return day(out, first_of_month(date));
  return day(out, is(name, "sdk.last-of-month") ? last_of_month(date) : date);
}

bool helper(workflow_string_t name, const workflow_string_t *args, text *out, backroom_error *error) {
  static const char *const moneys[] = {"sdk.plus", "sdk.times", "sdk.share", "sdk.show-money", "sdk.show-amount"};
  for (size_t at = 0; at < 5; at++) {
    if (is(name, moneys[at])) return of_money(name, args, out, error);
  }
  backroom_money made;
  if (is(name, "sdk.parse-money")) return money(out, money_parse(read_text(args[0]), &made, error), &made);
  if (is(name, "sdk.parse-amount")) {
    return money(out, amount_parse(read_text(args[0]), read_text(args[1]), &made, error), &made);
  }
  if (is(name, "sdk.minor-digits")) {
    put_number(out, minor_digits(read_text(args[0])));
    return true;
  }
  if (is(name, "sdk.show-decimal")) return shown(out, true, decimal_text(read_types_decimal(args[0])));
  if (is(name, "sdk.parse-decimal")) {
    backroom_decimal decimal;
    bool good = decimal_parse(read_text(args[0]), &decimal, error);
    if (good) write_types_decimal(out, &decimal);
    return good;
  }
  bool month = name.len > 10 && memcmp(name.ptr, "sdk.month-", 10) == 0 && !is(name, "sdk.month-of");
  return (month || is(name, "sdk.parse-month") ? of_month : of_date)(name, args, out, error);
}
