#include "values.h"

#include <inttypes.h>
#include <stdio.h>

void *room(size_t size) {
  void *memory = malloc(size + 1);
  if (!memory) abort();
  return memory;
}

static void append(text *out, const char *characters, size_t length) {
  if (out->length + length > out->room) {
    out->room = (out->length + length) * 2;
    out->characters = realloc(out->characters, out->room);
    if (!out->characters) abort();
  }
  memcpy(out->characters + out->length, characters, length);
  out->length += length;
}

void put(text *out, const char *characters) { append(out, characters, strlen(characters)); }

void put_number(text *out, uint64_t number) {
  char digits[24];
  snprintf(digits, sizeof digits, "%" PRIu64, number);
  put(out, digits);
}

void put_text(text *out, workflow_string_t value) {
  workflow_string_t quoted = json_quoted(value);
  append(out, (const char *)quoted.ptr, quoted.len);
}

void put_bytes(text *out, const uint8_t *bytes, size_t length) {
  put(out, "\"");
  for (size_t i = 0; i < length; i++) {
    char digits[3];
    snprintf(digits, sizeof digits, "%02x", bytes[i]);
    put(out, digits);
  }
  put(out, "\"");
}

bool is(workflow_string_t value, const char *characters) {
  return value.len == strlen(characters) && memcmp(value.ptr, characters, value.len) == 0;
}

bool is_word(workflow_string_t json, const char *word) { return json.len > 0 && json.ptr[0] == '"' && is(read_text(json), word); }

workflow_string_t member(workflow_string_t json, const char *name) {
  workflow_string_t value;
  if (json.len == 0 || json.ptr[0] != '{' || !json_member(json, name, &value)) return (workflow_string_t){0};
  return value;
}

size_t count(workflow_string_t json) {
  workflow_string_t item;
  size_t items = 0;
  while (json_item(&json, &item)) items++;
  return items;
}

uint64_t read_number(workflow_string_t json) {
  uint64_t number = 0;
  if (json.len == 0) abort();
  for (size_t i = 0; i < json.len; i++) {
    if (json.ptr[i] < '0' || json.ptr[i] > '9') abort();
    number = number * 10 + (uint64_t)(json.ptr[i] - '0');
  }
  return number;
}

workflow_string_t read_text(workflow_string_t json) {
  workflow_string_t value;
  if (!json_text(json, &value)) abort();
  return value;
}

uint8_t *read_bytes(workflow_string_t json, size_t *length) {
  workflow_string_t digits = read_text(json);
  uint8_t *bytes = room(digits.len / 2);
  for (*length = 0; *length < digits.len / 2; ++*length) {
    char pair[3] = {(char)digits.ptr[*length * 2], (char)digits.ptr[*length * 2 + 1], 0};
    bytes[*length] = (uint8_t)strtoul(pair, NULL, 16);
  }
  return bytes;
}
