#include "json.h"

#include "backroom.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A place in a text. At the end every look gives 0, so that broken JSON ends a loop. */
typedef struct {
  const uint8_t *at, *end;
} cursor;

static uint8_t look(const cursor *c) { return c->at < c->end ? *c->at : 0; }

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void skip_space(cursor *c) {
  while (is_space(look(c))) c->at++;
}

/* Where one of eight characters is `c`: the topmost bit of the first such one is set, and no bit below it. */
static uint64_t where(uint64_t eight, uint8_t c) {
  const uint64_t ones = UINT64_C(0x0101010101010101);
  eight ^= ones * c;
  return (eight - ones) & ~eight & (ones << 7);
}

/* The next quote or backslash; the end if there is none. Eight characters at a time: most of JSON is strings, read over more than once. */
static const uint8_t *next_special(const uint8_t *at, const uint8_t *end) {
  for (; end - at >= 8; at += 8) {
    uint64_t eight;
    memcpy(&eight, at, 8);
    uint64_t found = where(eight, '"') | where(eight, '\\');
    if (found) return at + __builtin_ctzll(found) / 8;
  }
  while (at < end && *at != '"' && *at != '\\') at++;
  return at;
}

/* Behind the string that begins at `at`. */
static const uint8_t *behind_string(const uint8_t *at, const uint8_t *end) {
  at = next_special(at + 1, end);
  while (at < end && *at == '\\') at = end - at > 2 ? next_special(at + 2, end) : end;
  return at < end ? at + 1 : end;
}

/* Behind a number or a word. */
static const uint8_t *behind_word(const uint8_t *at, const uint8_t *end) {
  while (at < end && *at != ',' && *at != ':' && *at != ']' && *at != '}' && !is_space(*at)) at++;
  return at;
}

/* Behind a value of any depth, without recursion: brackets are counted. */
static const uint8_t *behind_value(const uint8_t *at, const uint8_t *end) {
  size_t depth = 0;
  do {
    while (at < end && is_space(*at)) at++;
    uint8_t first = at < end ? *at : 0;
    if (first == '"') {
      at = behind_string(at, end);
    } else if (first == '{' || first == '[') {
      depth++;
      at++;
    } else if (first == '}' || first == ']') {
      depth--;
      at++;
    } else if (first == ',' || first == ':') {
      at++;
    } else {
      at = behind_word(at, end);
    }
  } while (depth > 0 && at < end);
  return at;
}

/* The next member of an object: its name as JSON and its value as JSON; false at the end. */
static bool next_member(cursor *c, workflow_string_t *name, workflow_string_t *value) {
  skip_space(c);
  if (look(c) == '{' || look(c) == ',') c->at++;
  skip_space(c);
  if (look(c) != '"') return false;
  name->ptr = (uint8_t *)c->at;
  c->at = behind_string(c->at, c->end);
  name->len = (size_t)(c->at - name->ptr);
  skip_space(c);
  if (look(c) != ':') return false;
  c->at++;
  skip_space(c);
  value->ptr = (uint8_t *)c->at;
  c->at = behind_value(c->at, c->end);
  value->len = (size_t)(c->at - value->ptr);
  return true;
}

/* Whether a text in JSON is this one. What is written is never shorter than what it says. */
static bool is_text(workflow_string_t json, workflow_string_t wanted) {
  const uint8_t *end = json.ptr + json.len;
  if (json.len < wanted.len + 2) return false;
  /* All but the marks; nothing in there is written in another way than it is said. */
  if (next_special(json.ptr + 1, end - 1) == end - 1) {
    return json.len == wanted.len + 2 && memcmp(json.ptr + 1, wanted.ptr, wanted.len) == 0;
  }
  workflow_string_t text;
  if (!json_text(json, &text)) return false;
  bool same = text.len == wanted.len && memcmp(text.ptr, wanted.ptr, wanted.len) == 0;
  free(text.ptr);
  return same;
}

bool json_member(workflow_string_t object, const char *name, workflow_string_t *value) {
  cursor c = {object.ptr, object.ptr + object.len};
  workflow_string_t found, wanted = text_of(name);
  while (next_member(&c, &found, value)) {
    if (is_text(found, wanted)) return !(value->len == 4 && memcmp(value->ptr, "null", 4) == 0);
  }
  return false;
}

bool json_item(workflow_string_t *rest, workflow_string_t *item) {
  cursor c = {rest->ptr, rest->ptr + rest->len};
  skip_space(&c);
  if (look(&c) != '[' && look(&c) != ',') return false;
  c.at++;
  skip_space(&c);
  if (look(&c) == ']' || !look(&c)) return false;
  item->ptr = (uint8_t *)c.at;
  c.at = behind_value(c.at, c.end);
  item->len = (size_t)(c.at - item->ptr);
  *rest = (workflow_string_t){.ptr = (uint8_t *)c.at, .len = (size_t)(c.end - c.at)};
  return true;
}

bool json_has_only(workflow_string_t object, const char *const *names) {
  cursor c = {object.ptr, object.ptr + object.len};
  workflow_string_t found, value;
  skip_space(&c);
  if (look(&c) != '{') return false;
  while (next_member(&c, &found, &value)) {
    const char *const *name = names;
    while (*name && !is_text(found, text_of(*name))) name++;
    if (!*name) return false;
  }
  return true;
}

static int hex(uint8_t digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  digit |= 0x20;
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The four digits behind \u; -1 if they are none. */
static int32_t unit(cursor *c) {
  int32_t value = 0;
  for (int i = 0; i < 4; i++, c->at++) {
    int digit = hex(look(c));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* Writes a character as UTF-8; returns its length. */
static size_t encode(uint8_t *out, uint32_t character) {
  if (character < 0x80) {
    out[0] = (uint8_t)character;
    return 1;
  }
  size_t more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  static const uint8_t first[] = {0, 0xC0, 0xE0, 0xF0};
  for (size_t i = more; i > 0; i--, character >>= 6) out[i] = (uint8_t)(0x80 | (character & 0x3F));
  out[0] = (uint8_t)(first[more] | character);
  return more + 1;
}

bool json_text(workflow_string_t value, workflow_string_t *text) {
  if (value.len < 2 || value.ptr[0] != '"') return false;
  cursor c = {value.ptr + 1, value.ptr + value.len - 1};
  /* What is written is never longer than how it is written. */
  text->ptr = malloc(value.len);
  if (!text->ptr) abort();
  text->len = (size_t)(next_special(c.at, c.end) - c.at);
  memcpy(text->ptr, c.at, text->len);
  c.at += text->len;
  while (c.at < c.end) {
    uint8_t next = *c.at++;
    if (next != '\\') {
      text->ptr[text->len++] = next;
      continue;
    }
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint8_t escape = look(&c);
    c.at++;
    const char *known = escape ? strchr(from, escape) : NULL;
    if (known) {
      text->ptr[text->len++] = (uint8_t)to[known - from];
      continue;
    }
    int32_t character = escape == 'u' ? unit(&c) : -1;
    if (character >= 0xD800 && character < 0xDC00) {
      /* A character beyond 16 bits, in two halves. */
      bool second = c.end - c.at >= 2 && c.at[0] == '\\' && c.at[1] == 'u';
      if (second) c.at += 2;
      int32_t low = second ? unit(&c) : -1;
      character = low < 0xDC00 || low > 0xDFFF ? -1 : 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
    } else if (character >= 0xDC00 && character < 0xE000) {
      /* A second half alone. */
      character = -1;
    }
    if (character < 0) {
      free(text->ptr);
      return false;
    }
    text->len += encode(text->ptr + text->len, (uint32_t)character);
  }
  return true;
}

bool json_number(workflow_string_t value, uint64_t *number) {
  uint64_t read = 0;
  if (value.len == 0 || value.len > 16) return false;
  for (size_t i = 0; i < value.len; i++) {
    if (value.ptr[i] < '0' || value.ptr[i] > '9') return false;
    read = read * 10 + (uint64_t)(value.ptr[i] - '0');
  }
  *number = read;
  return read < UINT64_C(1) << 53;
}

workflow_string_t json_quoted(workflow_string_t text) {
  /* A control character takes six. */
  char *out = malloc(text.len * 6 + 3), *at = out;
  if (!out) abort();
  *at++ = '"';
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.ptr[i];
    if (c < 0x20) {
      at += sprintf(at, "\\u%04x", c);
    } else {
      if (c == '"' || c == '\\') *at++ = '\\';
      *at++ = (char)c;
    }
  }
  *at++ = '"';
  *at = 0;
  return (workflow_string_t){.ptr = (uint8_t *)out, .len = (size_t)(at - out)};
}

workflow_string_t json_written(const char *format, ...) {
  /* Most outputs are no longer, and need not be written twice. */
  char first[1024];
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(first, sizeof first, format, arguments);
  char *text = length < 0 ? NULL : malloc((size_t)length + 1);
  if (!text) abort();
  if ((size_t)length < sizeof first) {
    memcpy(text, first, (size_t)length + 1);
  } else {
    vsnprintf(text, (size_t)length + 1, format, again);
  }
  va_end(arguments);
  va_end(again);
  return (workflow_string_t){.ptr = (uint8_t *)text, .len = (size_t)length};
}
