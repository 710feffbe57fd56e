// Calls the functions that the input names, and tells what they answered. contract.ts is made of the contract.
import { calls, write_types_error } from "./contract";
import { helpers } from "./helpers";
import { errorOf, invalid, list, object, optional, refused, text, workflow, type Of } from "./sdk/index";
import type { Json } from "./values";

const anything = (value: unknown): Json => value as Json;
const input = object({
  calls: list(object({ call: text, args: list(anything) })),
  /** How the run ends, if not well. */
  end: optional(text),
});

function conformance({ calls: wanted, end }: Of<typeof input>): { answers: Json[] } {
  let last: unknown;
  const answers = wanted.map(({ call, args }): Json => {
    try {
      const made = (call.startsWith("sdk.") ? helpers : calls)[call];
      if (!made) throw new Error(`${call} is no function of the contract`);
      return { ok: made(args) };
    } catch (caught) {
      const error = errorOf(caught);
      if (!error) throw caught;
      last = caught;
      return { err: write_types_error(error) };
    }
  });
  switch (end) {
    case undefined: return { answers };
    case "error": throw last;
    case "refuse": throw refused("conformance-refused", "Nein – 否 🛑");
    case "invalid": throw invalid("conformance-invalid", "input.calls[0]", 'Ünï: "1"');
    default: throw new Error("as the input says");
  }
}

export const run = workflow(input, conformance);
