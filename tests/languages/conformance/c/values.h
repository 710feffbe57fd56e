/* Plain values out of JSON and back. */
#ifndef VALUES_H
#define VALUES_H

#include <stdlib.h>
#include <string.h>

#include "backroom.h"

/* A text that grows. */
typedef struct {
  char *characters;
  size_t length, room;
} text;

void put(text *out, const char *characters);
void put_number(text *out, uint64_t number);
void put_text(text *out, workflow_string_t value);
void put_bytes(text *out, const uint8_t *bytes, size_t length);

/* Memory, or the end of the run. */
void *room(size_t size);

/* Whether a text is these characters; and whether a JSON string is this word. */
bool is(workflow_string_t value, const char *characters);
bool is_word(workflow_string_t json, const char *word);

/* A member of an object; empty if there is none. */
workflow_string_t member(workflow_string_t json, const char *name);
size_t count(workflow_string_t json);
uint64_t read_number(workflow_string_t json);
workflow_string_t read_text(workflow_string_t json);
uint8_t *read_bytes(workflow_string_t json, size_t *length);

/* In contract.c. */
bool call(workflow_string_t name, const workflow_string_t *args, text *out, backroom_error *error);
backroom_types_types_money_t read_types_money(workflow_string_t json);
backroom_types_types_decimal_t read_types_decimal(workflow_string_t json);
void write_types_decimal(text *out, const backroom_types_types_decimal_t *v);
void write_types_money(text *out, const backroom_types_types_money_t *v);
void write_types_business_date(text *out, const backroom_types_types_business_date_t *v);
void write_types_error(text *out, const backroom_types_types_error_t *v);

/* In helpers.c. */
bool helper(workflow_string_t name, const workflow_string_t *args, text *out, backroom_error *error);

#endif
