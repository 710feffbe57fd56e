// The plugin `remote-allowance` in TypeScript: the same effects and the same answers, byte for byte (see there for what it does).
//
// Input: `{"month": "2026-06"}`.
import { amount, text as shown } from "./amounts";
import { balances, keep } from "./books";
import { read } from "./config";
import { issue } from "./laptops";
import { fullMonth, peopleOf } from "./people";
import { info, money, object, parseMonth, plus, showDate, text, times, workflow, type Money, type Of } from "./sdk/index";

const DEFINITION =
  "seats are workers who were eligible on every day of the month; each saves the cost of a seat less the " +
  "allowance, a month; a year is twelve such months; laptops are not counted";

const input = object({
  /** `YYYY-MM`. */
  month: text,
});

/** For `seats` workers who were eligible on every day; a seat costs at least as much as the allowance. Throws `overflow`. */
function saving(seatCost: Money, allowance: Money, seats: number) {
  const perSeat = money(seatCost.minor - allowance.minor, seatCost.currency);
  const monthly = times(perSeat, seats);
  return {
    definition: DEFINITION,
    seats,
    "seat-cost": amount(seatCost),
    "monthly-allowance": amount(allowance),
    monthly: amount(monthly),
    "yearly-per-seat": amount(times(perSeat, 12)),
    yearly: amount(times(monthly, 12)),
  };
}

function allowance({ month: wanted }: Of<typeof input>) {
  const month = parseMonth(wanted);
  const config = read();
  const people = peopleOf(month, config.position);
  const laptops = issue(config, month, people);
  const { lines, entries } = keep(config, month, people, laptops);
  const seats = people.filter((person) => fullMonth(person, month)).length;
  const saved = saving(config.seatCost, config.monthlyAmount, seats);
  const total = lines.reduce((sum, line) => plus(sum, line.money), money(0, config.monthlyAmount.currency));
  const said = `${month}: ${shown(total)} in ${lines.length} lines for ${people.length} workers`;
  info(`${said}; ${laptops.length} laptops`);
  return {
    month: String(month),
    plan: config.plan,
    workers: people.length,
    "total-allowance": amount(total),
    entries,
    lines: lines.map(({ id, worker, costCenter, firstDay, lastDay, days, money, replayed }) => ({
      id,
      worker,
      "cost-center": costCenter,
      "first-day": showDate(firstDay),
      "last-day": showDate(lastDay),
      days,
      amount: amount(money),
      replayed,
    })),
    laptops: laptops.map(({ id, worker, serial, costCenter, value, replayed }) => ({
      id,
      worker,
      serial,
      "cost-center": costCenter,
      value: amount(value),
      replayed,
    })),
    saving: saved,
    balances: balances(config),
  };
}

export const run = workflow(input, allowance);
