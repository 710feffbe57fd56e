// Benefit lines, and one journal entry per cost centre that carries them.
import { record } from "backroom:hr/benefits@0.1.0";
import { get as item } from "backroom:inventory/items@0.1.0";
import { get as account } from "backroom:ledger/accounts@0.1.0";
import { get as balance } from "backroom:ledger/balances@0.1.0";
import { post, type Line } from "backroom:ledger/journal@0.1.0";

import { amount, type Amount } from "./amounts";
import type { Config } from "./config";
import type { Laptop } from "./laptops";
import { dayOf } from "./months";
import { amountsOf, byText, type Person } from "./people";
import { money, plus, type BusinessDate, type Money, type Month } from "./sdk/index";

/** The journal entry of a cost centre for the month. */
export function entryId(month: Month, costCenter: string): string {
  return `allowance:${month}:${costCenter}`;
}

/** A benefit line that was recorded. */
export interface Recorded {
  id: string;
  worker: string;
  costCenter: string;
  firstDay: BusinessDate;
  lastDay: BusinessDate;
  days: number;
  money: Money;
  replayed: boolean;
}

/** A journal entry, as the output has it. */
interface Entry {
  id: string;
  number: number;
  "cost-center": string;
  allowance: Amount;
  equipment?: Amount;
  replayed: boolean;
}

/** Records the lines, in order of the workers, and posts the entries, in order of the cost centres. */
export function keep(config: Config, month: Month, people: Person[], laptops: Laptop[]): { lines: Recorded[]; entries: Entry[] } {
  const lines = people.flatMap((person) => recorded(config, month, person));
  const costCenters = new Set([...lines, ...laptops].map(({ costCenter }) => costCenter));
  const entries = [...costCenters].sort(byText).flatMap((costCenter) => {
    const of = <T extends { costCenter: string }>(all: T[]) => all.filter((one) => one.costCenter === costCenter);
    return posted(config, month, costCenter, of(lines), of(laptops)) ?? [];
  });
  return { lines, entries };
}

function recorded(config: Config, month: Month, person: Person): Recorded[] {
  const amounts = amountsOf(person, config.monthlyAmount.minor, month);
  return person.lines.flatMap(({ first, last, costCenter }, at) => {
    const minor = amounts[at] ?? 0;
    // A day of a very small amount; a benefit line is more than zero.
    if (minor === 0) return [];
    const id = `benefit:${config.plan}:${month}:${person.worker}:${String(first).padStart(2, "0")}`;
    const [firstDay, lastDay] = [dayOf(month, first), dayOf(month, last)];
    const allowance = money(minor, config.monthlyAmount.currency);
    const { worker } = person;
    const entry = entryId(month, costCenter);
    const { replayed } = record({ id, worker, plan: config.plan, firstDay, lastDay, amount: allowance, costCenter, entry });
    return [{ id, worker, costCenter, firstDay, lastDay, days: last - first + 1, money: allowance, replayed }];
  });
}

/** Posts the entry of a cost centre; nothing if nothing in it is worth anything. */
function posted(config: Config, month: Month, costCenter: string, lines: Recorded[], laptops: Laptop[]): Entry | undefined {
  const none = money(0, config.monthlyAmount.currency);
  const allowance = lines.reduce((sum, line) => plus(sum, line.money), none);
  const [first, ...rest] = laptops;
  const equipment = first && rest.reduce((sum, laptop) => plus(sum, laptop.value), first.value);
  const pair = (of: Money | undefined, debit: string, credit: string | undefined, what: string, count: number): Line[] => {
    if (!of || of.minor === 0 || !credit) return [];
    const memo = `${what}: ${count}`;
    return [
      { account: debit, side: "debit", amount: of, dimensions: [{ name: "cost-center", value: costCenter }], memo },
      { account: credit, side: "credit", amount: of, dimensions: [], memo },
    ];
  };
  const all = [
    ...pair(allowance, config.allowanceAccount, config.payableAccount, "Housing allowance", lines.length),
    ...pair(equipment, config.equipmentAccount, first?.stockAccount, "Laptops issued", laptops.length),
  ];
  if (all.length === 0) return undefined;
  const id = entryId(month, costCenter);
  const description = `Remote housing allowance ${month}, ${costCenter}`;
  const { number, replayed } = post({ id, date: month.last(), description, lines: all });
  return {
    id,
    number,
    "cost-center": costCenter,
    allowance: amount(allowance),
    equipment: equipment && amount(equipment),
    replayed,
  };
}

/** The accounts that were posted to, as they stand now, with this run's own entries. */
export function balances(config: Config) {
  const stock = item(config.laptopItem).stockAccount;
  return [config.allowanceAccount, config.payableAccount, config.equipmentAccount, stock].map((code) => {
    const { name } = account(code);
    const { account: of, currency, debits, credits } = balance(code, undefined);
    const told = (minor: number) => amount({ minor, currency });
    return {
      account: of,
      name,
      debits: told(debits),
      credits: told(credits),
      balance: told(Math.abs(debits - credits)),
      side: debits >= credits ? "debit" : "credit",
    };
  });
}
