#include "backroom.h"

#include <string.h>

uint8_t minor_digits(workflow_string_t currency) {
  static const char none[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
  static const char three[] = "BHD IQD JOD KWD LYD OMR TND", four[] = "CLF UYW";
  static const struct {
    const char *codes;
    uint8_t digits;
  } lists[] = {{none, 0}, {three, 3}, {four, 4}};
  for (size_t list = 0; currency.len == 3 && list < 3; list++) {
    for (const char *code = lists[list].codes; *code; code += code[3] ? 4 : 3) {
      if (memcmp(code, currency.ptr, 3) == 0) return lists[list].digits;
    }
  }
  return 2;
}

/* The digits of 12.50 as a number, and how many of them are decimals: no sign, no exponent, no grouping. */
static bool read_digits(workflow_string_t text, uint64_t *number, size_t *scale) {
  size_t point = text.len;
  *number = 0;
  for (size_t at = 0; at < text.len; at++) {
    if (text.ptr[at] == '.' && point == text.len && at > 0) {
      point = at;
      continue;
    }
    if (text.ptr[at] < '0' || text.ptr[at] > '9') return false;
    uint64_t digit = (uint64_t)(text.ptr[at] - '0');
    if (__builtin_mul_overflow(*number, UINT64_C(10), number) || __builtin_add_overflow(*number, digit, number)) return false;
  }
  *scale = point == text.len ? 0 : text.len - point - 1;
  return text.len > 0 && point + 1 != text.len;
}

/* A number with its last `scale` digits behind a point. */
static workflow_string_t write_digits(uint64_t number, uint8_t scale) {
  uint64_t unit = 1;
  for (uint8_t at = 0; at < scale; at++) unit *= 10;
  if (scale == 0) return json_written("%llu", (unsigned long long)number);
  return json_written("%llu.%0*llu", (unsigned long long)(number / unit), (int)scale, (unsigned long long)(number % unit));
}

static bool read_amount(workflow_string_t text, workflow_string_t currency, backroom_money *money) {
  uint64_t minor;
  size_t scale, places = minor_digits(currency);
  if (currency.len != 3 || !read_digits(text, &minor, &scale) || scale > places) return false;
  for (size_t at = 0; at < 3; at++) {
    if (currency.ptr[at] < 'A' || currency.ptr[at] > 'Z') return false;
  }
  for (; scale < places; scale++) {
    if (__builtin_mul_overflow(minor, UINT64_C(10), &minor)) return false;
  }
  *money = (backroom_money){.minor = minor, .currency = currency};
  return minor <= BACKROOM_MAX_MINOR;
}

bool money_parse(workflow_string_t text, backroom_money *money, backroom_error *error) {
  const uint8_t *space = text.len ? memchr(text.ptr, ' ', text.len) : NULL;
  if (space) {
    size_t length = (size_t)(space - text.ptr);
    workflow_string_t number = {.ptr = text.ptr, .len = length};
    workflow_string_t currency = {.ptr = text.ptr + length + 1, .len = text.len - length - 1};
    if (read_amount(number, currency, money)) return true;
  }
  return invalid(error, "amount-invalid", "amount", "\"%.*s\" is no amount such as 500.00 USD", (int)text.len, text.ptr);
}

bool amount_parse(workflow_string_t text, workflow_string_t currency, backroom_money *money, backroom_error *error) {
  if (read_amount(text, currency, money)) return true;
  return invalid(error, "amount-invalid", "amount", "\"%.*s\" is no amount such as 500.00 in \"%.*s\"", (int)text.len, text.ptr,
                 (int)currency.len, currency.ptr);
}

workflow_string_t amount_text(const backroom_money *money) {
  return write_digits(money->minor, minor_digits(money->currency));
}

workflow_string_t money_text(const backroom_money *money) {
  workflow_string_t amount = amount_text(money);
  return json_written("%.*s %.*s", (int)amount.len, amount.ptr, (int)money->currency.len, money->currency.ptr);
}

static bool money_within(bool overflowed, uint64_t minor, workflow_string_t currency, backroom_money *money, backroom_error *error) {
  if (overflowed || minor > BACKROOM_MAX_MINOR) return refused(error, "overflow", "the result is larger than an amount can be");
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

bool money_share(const backroom_money *one, uint64_t part, uint64_t whole, backroom_money *share, backroom_error *error) {
  if (whole == 0) return money_within(true, 0, one->currency, share, error);
  unsigned __int128 product = (unsigned __int128)one->minor * part, quotient = product / whole;
  uint64_t rest = (uint64_t)(product % whole);
  /* As far from the next whole one as from this one, or nearer to it; twice the rest may be more than 64 bits. */
  bool up = rest > whole - rest || (rest == whole - rest && quotient % 2 == 1);
  quotient += up;
  return money_within(quotient > BACKROOM_MAX_MINOR, (uint64_t)quotient, one->currency, share, error);
}

bool decimal_parse(workflow_string_t text, backroom_decimal *decimal, backroom_error *error) {
  uint64_t mantissa;
  size_t scale;
  if (read_digits(text, &mantissa, &scale) && mantissa <= BACKROOM_MAX_MINOR && scale <= 9) {
    *decimal = (backroom_decimal){.mantissa = mantissa, .scale = (uint8_t)scale};
    return true;
  }
  return invalid(error, "decimal-invalid", "decimal", "\"%.*s\" is no decimal such as 12.5", (int)text.len, text.ptr);
}

workflow_string_t decimal_text(backroom_decimal decimal) { return write_digits(decimal.mantissa, decimal.scale); }
