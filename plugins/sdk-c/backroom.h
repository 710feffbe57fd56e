/* Workflows for Backroom in C.
 *
 * A plugin has the function `exports_workflow_run`, which bindings/workflow.h declares: it gets the input as JSON, calls the service, and gives
 * either its output as JSON (and returns true) or an error (and returns false). Everything that a run changed is kept in the first case, and nothing
 * of it in the second. Calls of the service return false with an error, which can be given on as it is. A run is short and its memory ends with
 * it: nothing has to be freed. */
#ifndef BACKROOM_H
#define BACKROOM_H

#include "json.h"
#include "workflow.h"

/* The largest amount of the contract: exact in every guest language. */
#define BACKROOM_MAX_MINOR ((UINT64_C(1) << 53) - 1)

typedef backroom_types_types_error_t backroom_error;
typedef backroom_types_types_business_date_t backroom_date;
typedef backroom_types_types_money_t backroom_money;
typedef backroom_types_types_decimal_t backroom_decimal;

/* The characters of a C string, which must live on. */
workflow_string_t text_of(const char *characters);

/* Writes a line into the run's log; the format is that of printf. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says that a rule of this workflow forbids it, and returns false. The code is a stable word in kebab-case, for programs; the message, as of printf,
 * is for people. */
bool refused(backroom_error *error, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Says that the input is not as it has to be, and returns false; the field is the place in it. */
bool invalid(backroom_error *error, const char *code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The code of an error; of several the first. Treat a code that you do not know by the error's class, which is its tag. */
workflow_string_t code_of(const backroom_error *error);

/* Reads a day of the books such as 2026-06-30, between 1900 and 2999. Errors: date-invalid. */
bool date_parse(workflow_string_t text, backroom_date *date, backroom_error *error);

/* As 2026-06-30. */
workflow_string_t date_text(backroom_date date);

/* The number of days of the month. */
uint8_t days_in_month(backroom_date date);

/* The first and the last day of the same month. */
backroom_date first_of_month(backroom_date date);
backroom_date last_of_month(backroom_date date);

/* A month of the books, from 1900-01 to 2999-12. */
typedef struct {
  uint16_t year;
  uint8_t month;
} backroom_month;

/* Reads 2026-06. Errors: month-invalid. */
bool month_parse(workflow_string_t text, backroom_month *month, backroom_error *error);

/* As 2026-06. */
workflow_string_t month_text(backroom_month month);

/* The month of a day; its first and its last day. */
backroom_month month_of(backroom_date date);
backroom_date month_first(backroom_month month);
backroom_date month_last(backroom_month month);

/* The month behind it and the one before it. Errors: month-invalid (of the last and the first month that there are). */
bool month_next(backroom_month month, backroom_month *next, backroom_error *error);
bool month_previous(backroom_month month, backroom_month *previous, backroom_error *error);

/* Digits after the decimal point of a currency (ISO 4217 "minor unit"): 2 unless listed. */
uint8_t minor_digits(workflow_string_t currency);

/* Reads 1234.50 USD. Errors: amount-invalid. */
bool money_parse(workflow_string_t text, backroom_money *money, backroom_error *error);

/* Reads 1234.50 of a currency: no sign, no grouping, no more decimals than the currency has. Errors: amount-invalid. */
bool amount_parse(workflow_string_t text, workflow_string_t currency, backroom_money *money, backroom_error *error);

/* As 1234.50 USD, and as 1234.50: with all decimals of the currency. */
workflow_string_t money_text(const backroom_money *money);
workflow_string_t amount_text(const backroom_money *money);

/* The sum of two amounts in one currency. Errors: currency-mismatch, overflow. */
bool money_plus(const backroom_money *one, const backroom_money *other, backroom_money *sum, backroom_error *error);

/* So many times the amount. Errors: overflow. */
bool money_times(const backroom_money *one, uint64_t count, backroom_money *product, backroom_error *error);

/* The amount times part / whole, rounded once to whole minor units; a tie goes to the even neighbour. Errors: overflow (for a whole of zero,
 * too). */
bool money_share(const backroom_money *one, uint64_t part, uint64_t whole, backroom_money *share, backroom_error *error);

/* Reads 12, 12.5 or 0.125, with at most nine decimals. Errors: decimal-invalid. */
bool decimal_parse(workflow_string_t text, backroom_decimal *decimal, backroom_error *error);

/* As 12.50. */
workflow_string_t decimal_text(backroom_decimal decimal);

#endif
