// Workflows for Backroom in TypeScript and JavaScript.
//
// A plugin exports `run`, made by `workflow` from the form of its input and a function. Everything that a run changed is kept if the function
// returns, and nothing of it if it throws. Calls of the service throw `{ payload }` with an error of the contract; not catching it is all
// it takes to give up. Integers are numbers, exact since none of the contract is larger than 2^53 - 1. What there is none of comes as null,
// and may be null, undefined or left out where it is passed.
import { write } from "backroom:host/log@0.1.0";
import type { BusinessDate, Error as ContractError, Money, Problem } from "backroom:types/types@0.1.0";

export type { BusinessDate, ContractError, Money, Problem };

/** The largest amount of the contract. */
export const MAX_MINOR = Number.MAX_SAFE_INTEGER;

/** What a workflow throws: an error of the contract. */
export class Refusal extends Error {
  constructor(readonly payload: ContractError) {
    super(problemOf(payload)?.message ?? payload.tag);
  }
}

function problemOf(error: ContractError): Problem | undefined {
  return error.tag === "invalid" ? error.val[0] : error.val;
}

/** A rule of this workflow forbids it. `code` is a stable word in kebab-case, for programs; `message` is for people. */
export function refused(code: string, message: string): Refusal {
  return new Refusal({ tag: "refused", val: { code, message } });
}

/** The input is not as it has to be; `field` is the place in it. */
export function invalid(code: string, field: string, message: string): Refusal {
  return new Refusal({ tag: "invalid", val: [{ code, field, message }] });
}

/** The error of the contract in what was caught, if it is one. */
export function errorOf(caught: unknown): ContractError | undefined {
  const payload = (caught as { payload?: ContractError } | undefined)?.payload;
  return typeof payload?.tag === "string" ? payload : undefined;
}

/** The code of the error in what was caught; of several the first. Treat a code that you do not know by the error's class. */
export function codeOf(caught: unknown): string | undefined {
  const error = errorOf(caught);
  return error && problemOf(error)?.code;
}

/** Writes a line into the run's log. */
export function info(message: string): void {
  write("info", message);
}

/** Writes a line into the run's log that somebody should look at. */
export function warn(message: string): void {
  write("warn", message);
}

/** An amount in minor units: cents for `USD`. Throws `overflow`. */
export function money(minor: number, currency: string): Money {
  if (!Number.isSafeInteger(minor) || minor < 0) throw refused("overflow", `${minor} is no amount from 0 to ${MAX_MINOR}`);
  return { minor, currency };
}

/** The sum of two amounts in one currency. Throws `currency-mismatch`, `overflow`. */
export function plus(one: Money, other: Money): Money {
  if (one.currency !== other.currency) throw refused("currency-mismatch", `${one.currency} and ${other.currency} cannot be added`);
  return exact(BigInt(one.minor) + BigInt(other.minor), one.currency);
}

/** So many times the amount. Throws `overflow`. */
export function times(one: Money, count: number): Money {
  return exact(BigInt(one.minor) * BigInt(count), one.currency);
}

// Sums and products of numbers may lie beyond what is exact, and look as if they did not.
function exact(minor: bigint, currency: string): Money {
  if (minor > BigInt(MAX_MINOR)) throw refused("overflow", "the sum is larger than an amount can be");
  return money(Number(minor), currency);
}

/** The number of days of a month. */
export function daysInMonth(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** A day of the books out of text such as `2026-06-30`, between 1900 and 2999. Throws `date-invalid`. */
export function date(text: string, field = "date"): BusinessDate {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  const [year, month, day] = (parts ?? []).slice(1).map(Number);
  if (
    year === undefined || month === undefined || day === undefined ||
    year < 1900 || year > 2999 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)
  ) {
    throw invalid("date-invalid", field, `${JSON.stringify(text)} is no date such as 2026-06-30`);
  }
  return { year, month, day };
}

/** As `2026-06-30`. */
export function showDate({ year, month, day }: BusinessDate): string {
  const digits = (number: number, count: number) => String(number).padStart(count, "0");
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
}

/** Reads a value out of JSON; `at` is its place, for the message. */
export type Form<T> = (value: unknown, at: string) => T;
/** What a form reads: `type Input = Of<typeof input>`. */
export type Of<F> = F extends Form<infer T> ? T : never;

function wrong(at: string, wanted: string): Refusal {
  return invalid("input-invalid", at, `it is not ${wanted}`);
}

/** A text. */
export const text: Form<string> = (value, at) => {
  if (typeof value !== "string") throw wrong(at, "a text");
  return value;
};

/** A whole number from 0 to 2^53 - 1. */
export const count: Form<number> = (value, at) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(at, "a whole number");
  return value as number;
};

/** `true` or `false`. */
export const flag: Form<boolean> = (value, at) => {
  if (typeof value !== "boolean") throw wrong(at, "true or false");
  return value;
};

/** A day of the books, written `2026-06-30`. */
export const day: Form<BusinessDate> = (value, at) => date(text(value, at), at);

/** What may be left out. */
export function optional<T>(form: Form<T>): Form<T | undefined> {
  return (value, at) => (value === undefined || value === null ? undefined : form(value, at));
}

/** A list. */
export function list<T>(form: Form<T>): Form<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw wrong(at, "a list");
    return value.map((one, i) => form(one, `${at}[${i}]`));
  };
}

/** An object with these fields and no others. */
export function object<F extends Record<string, Form<unknown>>>(forms: F): Form<{ [K in keyof F]: Of<F[K]> }> {
  return (value, at) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(at, "an object");
    const fields = value as Record<string, unknown>;
    for (const name of Object.keys(fields)) {
      if (!Object.hasOwn(forms, name)) throw invalid("input-invalid", `${at}.${name}`, "there is no such field");
    }
    const read: Record<string, unknown> = {};
    for (const [name, form] of Object.entries(forms)) read[name] = form(fields[name], `${at}.${name}`);
    return read as { [K in keyof F]: Of<F[K]> };
  };
}

/** What the service calls: JSON in, JSON out. Export it as `run`. */
export function workflow<I, O>(input: Form<I>, run: (input: I) => O): (json: string) => string {
  return (json) => {
    try {
      let value: unknown;
      try {
        value = JSON.parse(json);
      } catch (why) {
        throw invalid("input-invalid", "input", String(why));
      }
      return JSON.stringify(run(input(value, "input")));
    } catch (caught) {
      const error = errorOf(caught);
      // The service takes the error as it is in the contract.
      if (error) throw error;
      const { message, stack } = caught as { message?: string; stack?: string };
      for (const line of [message ?? String(caught), ...(stack ?? "").split("\n")]) if (line) write("error", line);
      throw caught;
    }
  };
}
