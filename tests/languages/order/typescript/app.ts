// Adds an order up, and reads five balances: the work that is measured. As `tests/guests/order` in its mode `read`.
import { get } from "backroom:ledger/balances@0.1.0";

import { count, day, list, money, object, optional, plus, text, times, workflow, type Of } from "./sdk/index";

const input = object({
  mode: text,
  order: object({
    reference: text,
    customer: text,
    date: day,
    currency: text,
    source: text,
    destination: text,
    accounts: object({ cash: text, receivable: text, tax: text, revenue: text, cost: text }),
    lines: list(object({ item: text, quantity: count, price_minor: count, note: optional(text) })),
  }),
});

function read({ order }: Of<typeof input>) {
  const { cash, receivable, tax, revenue, cost } = order.accounts;
  const balances = [cash, receivable, tax, revenue, cost].map((code) => {
    const { account, debits, credits } = get(code, undefined);
    return { account, debits, credits };
  });
  const prices = order.lines.map((line) => times(money(line.price_minor, order.currency), line.quantity));
  const total = prices.reduce(plus, money(0, order.currency));
  return { reference: order.reference, lines: order.lines.length, total_minor: total.minor, balances };
}

export const run = workflow(input, read);
