// A laptop for each newly remote worker.
import { get, set } from "backroom:host/state@0.1.0";
import { get as item } from "backroom:inventory/items@0.1.0";
import { listOnHand, postMove } from "backroom:inventory/stock@0.1.0";

import { entryId } from "./books";
import type { Config } from "./config";
import { dayOf } from "./months";
import { PAGE, byText, type Person } from "./people";
import { refused, showDate, type Money, type Month } from "./sdk/index";

/** A laptop that was issued. */
export interface Laptop {
  id: string;
  worker: string;
  serial: string;
  costCenter: string;
  /** What left the stock. */
  value: Money;
  /** Where that must be credited. */
  stockAccount: string;
  replayed: boolean;
}

/**
 * Issues the lowest serial numbers on hand, in order of the worker numbers, on the last day of the month (the day of the entry that
 * carries the value). Which one a worker got is kept, so that a second run names the same.
 */
export function issue(config: Config, month: Month, people: Person[]): Laptop[] {
  const fresh = people.flatMap(({ worker, newlyRemote }) =>
    newlyRemote ? [{ worker, ...newlyRemote, known: issued(month, worker) }] : [],
  );
  const wanted = fresh.filter(({ known }) => known === undefined).length;
  const free = onHand(config, wanted);
  return fresh.map(({ worker, day, costCenter, known }) => {
    const serial = known ?? free.shift();
    if (serial === undefined) throw outOfStock(config, wanted);
    const id = `laptop:${month}:${worker}`;
    const { value, stockAccount, replayed } = postMove({
      id,
      date: month.last(),
      item: config.laptopItem,
      quantity: { mantissa: 1, scale: 0 },
      source: config.laptopLocation,
      destination: config.staffLocation,
      lot: serial,
      worker,
      reason: `Remote work from ${showDate(dayOf(month, day))}`,
      entry: entryId(month, costCenter),
    });
    // Serial numbers are ids, and those have ASCII characters alone.
    if (known === undefined) set(key(month, worker), Uint8Array.from(serial, (letter) => letter.charCodeAt(0)));
    return { id, worker, serial, costCenter, value, stockAccount, replayed };
  });
}

function key(month: Month, worker: string): string {
  return `laptop:${month}:${worker}`;
}

/** The serial number that the worker got in an earlier run of the month. */
function issued(month: Month, worker: string): string | undefined {
  const value = get(key(month, worker));
  return value ? String.fromCharCode(...value) : undefined;
}

/** The lowest `wanted` serial numbers on hand; fewer if there are no more. */
function onHand(config: Config, wanted: number): string[] {
  const serials: string[] = [];
  if (wanted === 0) return serials;
  if (item(config.laptopItem).tracking !== "serial") {
    const message = `item ${config.laptopItem} is not tracked by serial number; configure one that is`;
    throw refused("laptop-not-serial", message);
  }
  let cursor: string | null | undefined;
  // Pages come in order of the lots.
  do {
    const page = listOnHand(config.laptopItem, config.laptopLocation, cursor, PAGE);
    for (const { lot } of page.items) if (lot) serials.push(lot);
    cursor = page.next;
  } while (cursor && serials.length < wanted);
  return serials.sort(byText);
}

function outOfStock({ laptopItem, laptopLocation }: Config, wanted: number): Error {
  const needed = `${wanted} of ${laptopItem} are needed, ${laptopLocation} has fewer`;
  return refused("laptops-out-of-stock", `${needed}; receive or transfer some, then run again`);
}
