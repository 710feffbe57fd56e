// Workflows for Backroom in TypeScript and JavaScript.
//
// A plugin exports `run`, made by `workflow` from the form of its input and a function. Everything that a run changed is kept if the function
// returns, and nothing of it if it throws. Calls of the service throw `{ payload }` with an error of the contract; not catching it is all
// it takes to give up. Integers are numbers, exact since none of the contract is larger than 2^53 - 1. What there is none of comes as null,
// and may be null, undefined or left out where it is passed.
import { write } from "backroom:host/log@0.1.0";
import type { BusinessDate, Decimal, Error as ContractError, Money, Problem } from "backroom:types/types@0.1.0";

export type { BusinessDate, ContractError, Decimal, Money, Problem };

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
  return exact(one.minor + other.minor, one.currency);
}

/** So many times the amount; the count is a whole number. Throws `overflow`. */
export function times(one: Money, count: number): Money {
  if (!Number.isInteger(count)) throw new RangeError(`${count} is no whole number; take a share instead`);
  return exact(one.minor * count, one.currency);
}

/**
 * The amount times `part / whole`, rounded once to whole minor units; a tie goes to the even neighbour. Throws `overflow` (for a `whole` of
 * zero, too).
 */
export function share(one: Money, part: number, whole: number): Money {
  if (whole === 0) throw refused("overflow", "a share of nothing has no end");
  const [product, divisor] = [BigInt(one.minor) * BigInt(part), BigInt(whole)];
  const [quotient, twice] = [product / divisor, (product % divisor) * 2n];
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  const minor = quotient + (up ? 1n : 0n);
  return exact(Number(minor), one.currency);
}

// Whole numbers beyond the largest amount are not all exact, but none of them is rounded to one that is not beyond it.
function exact(minor: number, currency: string): Money {
  if (minor > MAX_MINOR) throw refused("overflow", "the result is larger than an amount can be");
  return money(minor, currency);
}

const NO_DECIMALS = new Set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" "));
const THREE_DECIMALS = new Set("BHD IQD JOD KWD LYD OMR TND".split(" "));
const FOUR_DECIMALS = new Set(["CLF", "UYW"]);

/** Digits after the decimal point of a currency (ISO 4217 "minor unit"): 2 unless listed. */
export function minorDigits(currency: string): number {
  if (NO_DECIMALS.has(currency)) return 0;
  return THREE_DECIMALS.has(currency) ? 3 : FOUR_DECIMALS.has(currency) ? 4 : 2;
}

// The digits of `12.50` as a number, and how many of them are decimals: no sign, no exponent, no grouping.
function readDigits(text: string): [bigint, number] | undefined {
  const parts = /^([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  const [, whole = "", decimals = ""] = parts ?? [];
  return parts ? [BigInt(whole + decimals), decimals.length] : undefined;
}

// A number with its last `scale` digits behind a point.
function writeDigits(number: number, scale: number): string {
  if (scale === 0) return String(number);
  const digits = String(number).padStart(scale + 1, "0");
  return `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function readAmount(text: string, currency: string): Money | undefined {
  const [read, places] = [readDigits(text), minorDigits(currency)];
  if (!read || read[1] > places || !/^[A-Z]{3}$/.test(currency)) return undefined;
  const minor = read[0] * 10n ** BigInt(places - read[1]);
  return minor <= BigInt(MAX_MINOR) ? { minor: Number(minor), currency } : undefined;
}

/** Reads `1234.50 USD`. Throws `amount-invalid`. */
export function parseMoney(text: string, field = "amount"): Money {
  const space = text.indexOf(" ");
  const found = space < 0 ? undefined : readAmount(text.slice(0, space), text.slice(space + 1));
  if (!found) throw invalid("amount-invalid", field, `${JSON.stringify(text)} is no amount such as 500.00 USD`);
  return found;
}

/** Reads `1234.50` of a currency: no sign, no grouping, no more decimals than the currency has. Throws `amount-invalid`. */
export function parseAmount(text: string, currency: string, field = "amount"): Money {
  const found = readAmount(text, currency);
  if (!found) throw invalid("amount-invalid", field, `${JSON.stringify(text)} is no amount such as 500.00 in ${JSON.stringify(currency)}`);
  return found;
}

/** As `1234.50`, with all decimals of the currency. */
export function showAmount({ minor, currency }: Money): string {
  return writeDigits(minor, minorDigits(currency));
}

/** As `1234.50 USD`. */
export function showMoney(money: Money): string {
  return `${showAmount(money)} ${money.currency}`;
}

/** Reads `12`, `12.5` or `0.125`, with at most nine decimals. Throws `decimal-invalid`. */
export function parseDecimal(text: string, field = "decimal"): Decimal {
  const [mantissa, scale] = readDigits(text) ?? [undefined, 0];
  if (mantissa === undefined || scale > 9 || mantissa > BigInt(MAX_MINOR)) {
    throw invalid("decimal-invalid", field, `${JSON.stringify(text)} is no decimal such as "12.5"`);
  }
  return { mantissa: Number(mantissa), scale };
}

/** As `12.50`. */
export function showDecimal({ mantissa, scale }: Decimal): string {
  return writeDigits(mantissa, scale);
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

/** The first day of the same month. */
export function firstOfMonth(day: BusinessDate): BusinessDate {
  return { ...day, day: 1 };
}

/** The last day of the same month. */
export function lastOfMonth(day: BusinessDate): BusinessDate {
  return { ...day, day: daysInMonth(day.year, day.month) };
}

/** A month of the books, from 1900-01 to 2999-12. As a text, and in JSON, it is such as `2026-06`. */
export class Month {
  private constructor(readonly year: number, readonly month: number) {}

  /** The month of a day. */
  static of({ year, month }: BusinessDate): Month {
    return new Month(year, month);
  }

  /** As `2026-06`. */
  toString(): string {
    return showDate(this.first()).slice(0, 7);
  }

  /** As `2026-06`. */
  toJSON(): string {
    return this.toString();
  }

  /** The first day. */
  first(): BusinessDate {
    return { year: this.year, month: this.month, day: 1 };
  }

  /** The last day. */
  last(): BusinessDate {
    return lastOfMonth(this.first());
  }

  /** The number of days. */
  length(): number {
    return daysInMonth(this.year, this.month);
  }

  /** The month behind it. Throws `month-invalid` (of the last month that there is). */
  next(): Month {
    return Month.within(this.month === 12 ? new Month(this.year + 1, 1) : new Month(this.year, this.month + 1));
  }

  /** The month before it. Throws `month-invalid` (of the first month that there is). */
  previous(): Month {
    return Month.within(this.month === 1 ? new Month(this.year - 1, 12) : new Month(this.year, this.month - 1));
  }

  private static within(month: Month): Month {
    if (month.year < 1900 || month.year > 2999) throw invalid("month-invalid", "month", `${month} is no month of the books`);
    return month;
  }
}

/** Reads `2026-06`. Throws `month-invalid`. */
export function parseMonth(text: string, field = "month"): Month {
  try {
    return Month.of(date(`${text}-01`));
  } catch (caught) {
    if (!errorOf(caught)) throw caught;
    throw invalid("month-invalid", field, `${JSON.stringify(text)} is no month such as 2026-06`);
  }
}

/** Reads a value out of JSON; `at` is its place in what it is part of, for the message: a `field` is put behind the place of that. */
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

// What is written as a text. What is wrong with an input has one code, whatever it is.
function written<T>(parse: (text: string) => T): Form<T> {
  return (value, at) => {
    try {
      return parse(text(value, at));
    } catch (caught) {
      if (!errorOf(caught)) throw caught;
      throw invalid("input-invalid", at, (caught as Refusal).message);
    }
  };
}

/** A day of the books, written `2026-06-30`. */
export const day: Form<BusinessDate> = written(date);

/** A month, written `2026-06`. */
export const month: Form<Month> = written(parseMonth);

/** An amount of money, written `1234.50 USD`. */
export const amount: Form<Money> = written(parseMoney);

/** A decimal, written `1.5`: a quantity, or a rate. */
export const decimal: Form<Decimal> = written(parseDecimal);

/** What may be left out. */
export function optional<T>(form: Form<T>): Form<T | undefined> {
  return (value, at) => (value === undefined || value === null ? undefined : form(value, at));
}

// The place of a part is put together when something is wrong with it, and not for each that is right.
function inside(caught: unknown, at: string): unknown {
  const error = errorOf(caught);
  for (const problem of error?.tag === "invalid" ? error.val : []) {
    if (typeof problem.field === "string") problem.field = at + problem.field;
  }
  return caught;
}

/** A list. */
export function list<T>(form: Form<T>): Form<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw wrong(at, "a list");
    const read: T[] = [];
    try {
      for (let i = 0; i < value.length; i++) read.push(form(value[i], ""));
    } catch (caught) {
      throw inside(caught, `${at}[${read.length}]`);
    }
    return read;
  };
}

/** An object with these fields and no others. */
export function object<F extends Record<string, Form<unknown>>>(forms: F): Form<{ [K in keyof F]: Of<F[K]> }> {
  const names: (keyof F & string)[] = Object.keys(forms);
  return (value, at) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(at, "an object");
    // Without a prototype there are no fields but those of the JSON, be they called `constructor`.
    const fields = Object.setPrototypeOf(value, null) as Record<string, unknown>;
    let known = 0;
    // Counted, which is quicker than looking each of them up; what comes out of JSON is never undefined.
    for (let i = 0; i < names.length; i++) if (fields[names[i]!] !== undefined) known++;
    if (Object.keys(fields).length !== known) noneBut(forms, fields, at);
    const read: Record<string, unknown> = {};
    try {
      for (let i = 0; i < names.length; i++) {
        const name = names[i]!;
        read[name] = forms[name]!(fields[name], name);
      }
    } catch (caught) {
      throw inside(caught, `${at}.`);
    }
    return read as { [K in keyof F]: Of<F[K]> };
  };
}

function noneBut(forms: object, fields: object, at: string): void {
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(forms, name)) throw invalid("input-invalid", `${at}.${name}`, "there is no such field");
  }
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
