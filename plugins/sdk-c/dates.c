#include "backroom.h"

uint8_t days_in_month(backroom_date date) {
  bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
  switch (date.month) {
    case 2: return leap ? 29 : 28;
    case 4: case 6: case 9: case 11: return 30;
    default: return 31;
  }
}

/* Reads a date that exists, with two digits more than a month of the same form has. */
static bool read_date(workflow_string_t text, backroom_date *date) {
  unsigned parts[3] = {0, 0, 0};
  if (text.len != 10) return false;
  for (size_t at = 0, part = 0; at < 10; at++) {
    if (at == 4 || at == 7) {
      if (text.ptr[at] != '-') return false;
      part++;
    } else {
      if (text.ptr[at] < '0' || text.ptr[at] > '9') return false;
      parts[part] = parts[part] * 10 + (unsigned)(text.ptr[at] - '0');
    }
  }
  *date = (backroom_date){.year = (uint16_t)parts[0], .month = (uint8_t)parts[1], .day = (uint8_t)parts[2]};
  if (parts[0] < 1900 || parts[0] > 2999 || parts[1] < 1 || parts[1] > 12) return false;
  return parts[2] >= 1 && parts[2] <= days_in_month(*date);
}

bool date_parse(workflow_string_t text, backroom_date *date, backroom_error *error) {
  if (read_date(text, date)) return true;
  return invalid(error, "date-invalid", "date", "\"%.*s\" is no date such as 2026-06-30", (int)text.len, text.ptr);
}

workflow_string_t date_text(backroom_date date) {
  return json_written("%04u-%02u-%02u", (unsigned)date.year, (unsigned)date.month, (unsigned)date.day);
}

backroom_date first_of_month(backroom_date date) {
  date.day = 1;
  return date;
}

backroom_date last_of_month(backroom_date date) {
  date.day = days_in_month(date);
  return date;
}

bool month_parse(workflow_string_t text, backroom_month *month, backroom_error *error) {
  backroom_date first;
  // Text may hold a NUL, where what is written would end.
  if (text.len == 7 && read_date(json_written("%.*s-01", (int)text.len, text.ptr), &first)) {
    *month = month_of(first);
    return true;
  }
  return invalid(error, "month-invalid", "month", "\"%.*s\" is no month such as 2026-06", (int)text.len, text.ptr);
}

workflow_string_t month_text(backroom_month month) {
  return json_written("%04u-%02u", (unsigned)month.year, (unsigned)month.month);
}

backroom_month month_of(backroom_date date) { return (backroom_month){.year = date.year, .month = date.month}; }

backroom_date month_first(backroom_month month) {
  return (backroom_date){.year = month.year, .month = month.month, .day = 1};
}

backroom_date month_last(backroom_month month) { return last_of_month(month_first(month)); }

static bool month_moved(backroom_month month, int by, backroom_month *moved, backroom_error *error) {
  int months = month.year * 12 + month.month - 1 + by;
  backroom_month there = {.year = (uint16_t)(months / 12), .month = (uint8_t)(months % 12 + 1)};
  return month_parse(month_text(there), moved, error);
}

bool month_next(backroom_month month, backroom_month *next, backroom_error *error) {
  return month_moved(month, 1, next, error);
}

bool month_previous(backroom_month month, backroom_month *previous, backroom_error *error) {
  return month_moved(month, -1, previous, error);
}
