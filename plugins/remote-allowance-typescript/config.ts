// What the operator sets. Everything that is missing or wrong is reported at once.
import { get } from "backroom:host/config@0.1.0";

import * as amounts from "./amounts";
import { Refusal, type Money, type Problem } from "./sdk/index";

export interface Config {
  /** `plan`: the benefit plan that the lines are recorded under. */
  plan: string;
  /** `position`: who gets it, such as `CPA`. */
  position: string;
  /** `monthly-amount`: for a whole month, such as `500.00 USD`. */
  monthlyAmount: Money;
  /** `seat-cost`: what an office seat costs a month; not less than the monthly amount. */
  seatCost: Money;
  /** `allowance-account`: debited with the allowances. */
  allowanceAccount: string;
  /** `payable-account`: credited with them. */
  payableAccount: string;
  /** `equipment-account`: debited with the value of the laptops. */
  equipmentAccount: string;
  /** `laptop-item`: what is issued; tracked by serial number. */
  laptopItem: string;
  /** `laptop-location`: where it is taken from. */
  laptopLocation: string;
  /** `staff-location`: where it goes to. */
  staffLocation: string;
}

/** Reads it from the host. Throws `config-missing`, `config-invalid`. */
export function read(): Config {
  const problems: Problem[] = [];
  const wrong = (key: string, code: string, message: string) => problems.push({ code, field: `config.${key}`, message });
  const text = (key: string, meaning: string): string => {
    const value = get(key) ?? "";
    if (!value) wrong(key, "config-missing", `set ${key} to ${meaning}`);
    return value;
  };
  const money = (key: string, meaning: string): Money => {
    const value = text(key, meaning);
    const amount = amounts.parse(value);
    if (amount && amount.minor > 0) return amount;
    if (value) wrong(key, "config-invalid", `${JSON.stringify(value)} is no amount above zero such as 500.00 USD`);
    return { minor: 0, currency: "" };
  };
  const config: Config = {
    plan: text("plan", "the benefit plan"),
    position: text("position", "the position code that is eligible"),
    monthlyAmount: money("monthly-amount", "the allowance for a whole month"),
    seatCost: money("seat-cost", "the monthly cost of an office seat"),
    allowanceAccount: text("allowance-account", "the expense account of the allowances"),
    payableAccount: text("payable-account", "the account of what is owed to staff"),
    equipmentAccount: text("equipment-account", "the expense account of issued equipment"),
    laptopItem: text("laptop-item", "the item that is issued"),
    laptopLocation: text("laptop-location", "the location that laptops are taken from"),
    staffLocation: text("staff-location", "the location of what staff has"),
  };
  const { monthlyAmount: amount, seatCost: seat } = config;
  if (problems.length === 0 && (amount.currency !== seat.currency || amount.minor > seat.minor)) {
    const costs = `a seat for ${amounts.text(seat)} does not cost more than the allowance of ${amounts.text(amount)}`;
    wrong("seat-cost", "config-invalid", `${costs}, in the same currency`);
  }
  if (problems.length > 0) throw new Refusal({ tag: "invalid", val: problems });
  return config;
}
