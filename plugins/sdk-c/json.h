/* As much of JSON as the input and output of a workflow need: objects whose members are read by name, arrays, and text that is written.
 * The service checks that an input is JSON before it runs anything. */
#ifndef BACKROOM_JSON_H
#define BACKROOM_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workflow.h"

/* The JSON of a member of an object; false if there is none, or if it is null. */
bool json_member(workflow_string_t object, const char *name, workflow_string_t *value);

/* The next item of an array: begin with its JSON, and `rest` is what is left behind each; false at the end. */
bool json_item(workflow_string_t *rest, workflow_string_t *item);

/* Whether an object has members of these names alone; the list ends with NULL. */
bool json_has_only(workflow_string_t object, const char *const *names);

/* The text of a JSON string; false if it is none. */
bool json_text(workflow_string_t value, workflow_string_t *text);

/* A whole number from 0 to 2^53 - 1; false if it is none. */
bool json_number(workflow_string_t value, uint64_t *number);

/* A text as a JSON string, in memory of its own. */
workflow_string_t json_quoted(workflow_string_t text);

/* JSON out of a format as of printf, in memory of its own. */
workflow_string_t json_written(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
