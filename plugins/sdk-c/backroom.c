#include "backroom.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In place of the generated one, which gives back what the workflow returned: that may be a constant, and a run's memory ends with it. */
__attribute__((__export_name__("cabi_post_run"))) void __wasm_export_exports_workflow_run_post_return(uint8_t *returned) {
  (void)returned;
}

workflow_string_t text_of(const char *characters) {
  return (workflow_string_t){.ptr = (uint8_t *)characters, .len = strlen(characters)};
}

/* The text of a format, in memory of its own. */
static workflow_string_t formatted(const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  char *text = length < 0 ? NULL : malloc((size_t)length + 1);
  if (!text) abort();
  vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  return (workflow_string_t){.ptr = (uint8_t *)text, .len = (size_t)length};
}

static void log_line(uint8_t level, const char *format, va_list arguments) {
  workflow_string_t text = formatted(format, arguments);
  backroom_host_log_write(level, &text);
}

void log_info(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log_line(BACKROOM_HOST_LOG_LEVEL_INFO, format, arguments);
  va_end(arguments);
}

void log_warn(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log_line(BACKROOM_HOST_LOG_LEVEL_WARN, format, arguments);
  va_end(arguments);
}

bool refused(backroom_error *error, const char *code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  *error = (backroom_error){.tag = BACKROOM_TYPES_TYPES_ERROR_REFUSED};
  error->val.refused = (backroom_types_types_problem_t){.code = text_of(code), .message = formatted(format, arguments)};
  va_end(arguments);
  return false;
}

bool invalid(backroom_error *error, const char *code, const char *field, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  backroom_types_types_problem_t *problem = malloc(sizeof *problem);
  if (!problem) abort();
  *problem = (backroom_types_types_problem_t){.code = text_of(code), .message = formatted(format, arguments)};
  problem->field.is_some = true;
  problem->field.val = text_of(field);
  va_end(arguments);
  *error = (backroom_error){.tag = BACKROOM_TYPES_TYPES_ERROR_INVALID};
  error->val.invalid.ptr = problem;
  error->val.invalid.len = 1;
  return false;
}

workflow_string_t code_of(const backroom_error *error) {
  /* Every class but the last has a problem in the same place. */
  if (error->tag != BACKROOM_TYPES_TYPES_ERROR_INVALID) return error->val.refused.code;
  return error->val.invalid.len > 0 ? error->val.invalid.ptr[0].code : text_of("");
}

uint8_t days_in_month(backroom_date date) {
  bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
  switch (date.month) {
    case 2: return leap ? 29 : 28;
    case 4: case 6: case 9: case 11: return 30;
    default: return 31;
  }
}

bool date_parse(workflow_string_t text, backroom_date *date, backroom_error *error) {
  unsigned parts[3] = {0, 0, 0};
  bool good = text.len == 10;
  for (size_t at = 0, part = 0; good && at < 10; at++) {
    if (at == 4 || at == 7) {
      good = text.ptr[at] == '-';
      part++;
    } else {
      good = text.ptr[at] >= '0' && text.ptr[at] <= '9';
      parts[part] = parts[part] * 10 + (unsigned)(text.ptr[at] - '0');
    }
  }
  *date = (backroom_date){.year = (uint16_t)parts[0], .month = (uint8_t)parts[1], .day = (uint8_t)parts[2]};
  good = good && parts[0] >= 1900 && parts[0] <= 2999 && parts[1] >= 1 && parts[1] <= 12;
  if (good && parts[2] >= 1 && parts[2] <= days_in_month(*date)) return true;
  return invalid(error, "date-invalid", "date", "\"%.*s\" is no date such as 2026-06-30", (int)text.len, text.ptr);
}

static bool money_within(bool overflowed, uint64_t minor, workflow_string_t currency, backroom_money *money, backroom_error *error) {
  if (overflowed || minor > BACKROOM_MAX_MINOR) return refused(error, "overflow", "the sum is larger than an amount can be");
  *money = (backroom_money){.minor = minor, .currency = currency};
  return true;
}

bool money_plus(const backroom_money *one, const backroom_money *other, backroom_money *sum, backroom_error *error) {
  workflow_string_t a = one->currency, b = other->currency;
  if (a.len != b.len || memcmp(a.ptr, b.ptr, a.len) != 0) {
    return refused(error, "currency-mismatch", "%.*s and %.*s cannot be added", (int)a.len, a.ptr, (int)b.len, b.ptr);
  }
  uint64_t minor;
  bool overflowed = __builtin_add_overflow(one->minor, other->minor, &minor);
  return money_within(overflowed, minor, a, sum, error);
}

bool money_times(const backroom_money *one, uint64_t count, backroom_money *product, backroom_error *error) {
  uint64_t minor;
  bool overflowed = __builtin_mul_overflow(one->minor, count, &minor);
  return money_within(overflowed, minor, one->currency, product, error);
}
