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
