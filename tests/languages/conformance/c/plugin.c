/* Calls the functions that the input names, and tells what they answered. contract.c is made of the contract. */
#include "values.h"

static bool is_helper(workflow_string_t name) { return name.len > 4 && memcmp(name.ptr, "sdk.", 4) == 0; }

bool exports_workflow_run(workflow_string_t *input, workflow_string_t *output, workflow_error_t *error) {
  static const char *const fields[] = {"calls", "end", NULL};
  if (!json_has_only(*input, fields)) return invalid(error, "input-invalid", "input", "it has calls and end alone");
  workflow_string_t rest = member(*input, "calls"), one;
  backroom_error last, failed;
  text out = {0};
  put(&out, "{\"answers\":");
  for (bool first = true; json_item(&rest, &one); first = false) {
    workflow_string_t name = read_text(member(one, "call")), args[8] = {0}, items = member(one, "args"), item;
    for (size_t at = 0; at < 8 && json_item(&items, &item); at++) {
      if (!is(item, "null")) args[at] = item;
    }
    size_t before = out.length;
    put(&out, first ? "[{\"ok\":" : ",{\"ok\":");
    if (!(is_helper(name) ? helper : call)(name, args, &out, &failed)) {
      out.length = before;
      put(&out, first ? "[{\"err\":" : ",{\"err\":");
      write_types_error(&out, &failed);
      last = failed;
    }
    put(&out, "}");
  }
  put(&out, "]}");
  workflow_string_t end = member(*input, "end");
  if (is_word(end, "error")) {
    *error = last;
    return false;
  }
  if (is_word(end, "refuse")) return refused(error, "conformance-refused", "Nein – 否 🛑");
  if (is_word(end, "invalid")) return invalid(error, "conformance-invalid", "input.calls[0]", "Ünï: \"%d\"", 1);
  if (is_word(end, "trap")) abort();
  *output = (workflow_string_t){.ptr = (uint8_t *)out.characters, .len = out.length};
  return true;
}
