// Amounts as text, and shares of them.
import { MAX_MINOR, type Money } from "./sdk/index";

const NO_DECIMALS = new Set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" "));
const THREE_DECIMALS = new Set("BHD IQD JOD KWD LYD OMR TND".split(" "));
const FOUR_DECIMALS = new Set(["CLF", "UYW"]);

/** Digits after the decimal point (ISO 4217 "minor unit"): 2 unless listed. */
function exponent(currency: string): number {
  if (NO_DECIMALS.has(currency)) return 0;
  return THREE_DECIMALS.has(currency) ? 3 : FOUR_DECIMALS.has(currency) ? 4 : 2;
}

/** Reads `500.00 USD`: no sign, no grouping, no more decimals than the currency has. */
export function parse(text: string): Money | undefined {
  const parts = /^([0-9]+)(?:\.([0-9]+))? ([A-Z]{3})$/.exec(text);
  if (!parts) return undefined;
  const [, whole = "", decimals = "", currency = ""] = parts;
  const places = exponent(currency);
  if (decimals.length > places) return undefined;
  const minor = BigInt(whole + decimals.padEnd(places, "0"));
  return minor <= BigInt(MAX_MINOR) ? { minor: Number(minor), currency } : undefined;
}

/** `500.00`, with all decimals of the currency. */
export function digits({ minor, currency }: Money): string {
  const places = exponent(currency);
  if (places === 0) return String(minor);
  const text = String(minor).padStart(places + 1, "0");
  return `${text.slice(0, -places)}.${text.slice(-places)}`;
}

/** `500.00 USD`. */
export function text(money: Money): string {
  return `${digits(money)} ${money.currency}`;
}

/** `amount * part / whole`, rounded once to whole minor units; a tie goes to the even neighbour. `whole` is not zero. */
export function share(amount: number, part: number, whole: number): number {
  // The product may lie beyond what a number has exactly.
  const product = BigInt(amount) * BigInt(part);
  const [quotient, rest] = [product / BigInt(whole), (product % BigInt(whole)) * 2n];
  const up = rest > BigInt(whole) || (rest === BigInt(whole) && quotient % 2n === 1n);
  return Number(quotient + (up ? 1n : 0n));
}

/** An amount as the output has it. */
export interface Amount {
  text: string;
  minor: number;
  currency: string;
}

export function amount(money: Money): Amount {
  return { text: digits(money), minor: money.minor, currency: money.currency };
}
