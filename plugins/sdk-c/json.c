#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A place in a text. At the end every look gives 0, so that broken JSON ends a loop. */
typedef struct {
  const uint8_t *at, *end;
} cursor;

static uint8_t look(const cursor *c) { return c->at < c->end ? *c->at : 0; }

static void skip_space(cursor *c) {
  while (look(c) == ' ' || look(c) == '\t' || look(c) == '\n' || look(c) == '\r') c->at++;
}

static void skip_string(cursor *c) {
  for (c->at++; look(c) && look(c) != '"'; c->at++) {
    if (look(c) == '\\') c->at++;
  }
  if (c->at < c->end) c->at++;
}

/* Over a value of any depth, without recursion: brackets are counted. */
static void skip_value(cursor *c) {
  size_t depth = 0;
  do {
    skip_space(c);
    uint8_t first = look(c);
    if (first == '"') {
      skip_string(c);
    } else if (first == '{' || first == '[') {
      depth++;
      c->at++;
    } else if (first == '}' || first == ']') {
      depth--;
      c->at++;
    } else if (first == ',' || first == ':') {
      c->at++;
    } else {
      while (look(c) && !strchr(",:]} \t\r\n", look(c))) c->at++;
    }
  } while (depth > 0 && c->at < c->end);
}

/* The next member of an object: its name as JSON and its value as JSON; false at the end. */
static bool next_member(cursor *c, workflow_string_t *name, workflow_string_t *value) {
  skip_space(c);
  if (look(c) == '{' || look(c) == ',') c->at++;
  skip_space(c);
  if (look(c) != '"') return false;
  name->ptr = (uint8_t *)c->at;
  skip_string(c);
  name->len = (size_t)(c->at - name->ptr);
  skip_space(c);
  if (look(c) != ':') return false;
  c->at++;
  skip_space(c);
  value->ptr = (uint8_t *)c->at;
  skip_value(c);
  value->len = (size_t)(c->at - value->ptr);
  return true;
}

static bool is_text(workflow_string_t json, const char *characters) {
  workflow_string_t text;
  return json_text(json, &text) && text.len == strlen(characters) && memcmp(text.ptr, characters, text.len) == 0;
}

bool json_member(workflow_string_t object, const char *name, workflow_string_t *value) {
  cursor c = {object.ptr, object.ptr + object.len};
  workflow_string_t found;
  while (next_member(&c, &found, value)) {
    if (is_text(found, name)) return !(value->len == 4 && memcmp(value->ptr, "null", 4) == 0);
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
  skip_value(&c);
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
    while (*name && !is_text(found, *name)) name++;
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
  text->len = 0;
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
      if (look(&c) != '\\') return false;
      c.at += 2;
      int32_t low = unit(&c);
      if (low < 0xDC00 || low > 0xDFFF) return false;
      character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
    }
    if (character < 0) return false;
    text->len += encode(text->ptr + text->len, (uint32_t)character);
  }
  return true;
}

bool json_number(workflow_string_t value, uint64_t *number) {
  *number = 0;
  if (value.len == 0 || value.len > 16) return false;
  for (size_t i = 0; i < value.len; i++) {
    if (value.ptr[i] < '0' || value.ptr[i] > '9') return false;
    *number = *number * 10 + (uint64_t)(value.ptr[i] - '0');
  }
  return *number < UINT64_C(1) << 53;
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
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  char *text = length < 0 ? NULL : malloc((size_t)length + 1);
  if (!text) abort();
  vsnprintf(text, (size_t)length + 1, format, again);
  va_end(arguments);
  va_end(again);
  return (workflow_string_t){.ptr = (uint8_t *)text, .len = (size_t)length};
}
