// Who worked remotely on which days of the month, and what that comes to.
import { listEmployments, type EmploymentFilter } from "backroom:hr/workers@0.1.0";

import { share } from "./amounts";
import { eve, reach } from "./months";
import type { Month } from "./sdk/index";

/** Rows asked for at once: as many as a page can have. */
export const PAGE = 500;

/** A stretch of remote work, cut to the month and its eve (day 0). */
interface Stretch {
  first: number;
  last: number;
  /** In the position that gets the allowance. */
  eligible: boolean;
  costCenter: string;
}

/** An unbroken stretch of eligible days that one cost centre bears. */
export interface Line {
  /** First day of the month, from 1. */
  first: number;
  /** Last day, counted. */
  last: number;
  costCenter: string;
}

/** A worker who is eligible on at least one day. */
export interface Person {
  worker: string;
  /** In order of their days. */
  lines: Line[];
  /** The first day on which the worker became remote, and the cost centre of that day; nothing if the worker was before. */
  newlyRemote?: { day: number; costCenter: string };
}

/** Texts in the order of their characters, as every language has it. */
export function byText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/**
 * Everybody who worked remotely in `position` in `month`, in order of the worker numbers.
 *
 * All remote employments are read, in whatever position, and from the eve of the month on: whoever was remote as something else has been
 * equipped before.
 */
export function peopleOf(month: Month, position: string): Person[] {
  const filter: EmploymentFilter = { firstDay: eve(month), lastDay: month.last(), place: "remote" };
  const stretches = new Map<string, Stretch[]>();
  let cursor: string | null | undefined;
  do {
    const page = listEmployments(filter, cursor, PAGE);
    for (const { worker, firstDay, lastDay, position: as, costCenter } of page.items) {
      const reached = reach(month, firstDay, lastDay);
      if (!reached) continue;
      const [first, last] = reached;
      const of = stretches.get(worker) ?? [];
      of.push({ first, last, eligible: as === position, costCenter });
      stretches.set(worker, of);
    }
    cursor = page.next;
  } while (cursor);
  const workers = [...stretches].sort(([one], [other]) => byText(one, other));
  return workers.map(([worker, of]) => person(worker, of)).filter(({ lines }) => lines.length > 0);
}

function person(worker: string, stretches: Stretch[]): Person {
  const lines: Line[] = [];
  let newlyRemote: Person["newlyRemote"];
  let lastRemote: number | undefined;
  for (const { first, last, eligible, costCenter } of stretches.sort((one, other) => one.first - other.first)) {
    // Days are numbered from the eve, so that a stretch from day 0 on is never new.
    const isNew = first > 0 && (lastRemote === undefined || lastRemote + 1 < first);
    lastRemote = last;
    if (!eligible || last === 0) continue;
    if (isNew) newlyRemote ??= { day: first, costCenter };
    const begin = Math.max(first, 1);
    const before = lines.at(-1);
    if (before && before.last + 1 === begin && before.costCenter === costCenter) before.last = last;
    else lines.push({ first: begin, last, costCenter });
  }
  return { worker, lines, newlyRemote };
}

function days({ first, last }: Line): number {
  return last - first + 1;
}

/** Was the worker eligible on every day? */
export function fullMonth({ lines }: Person, month: Month): boolean {
  return lines.reduce((sum, line) => sum + days(line), 0) === month.length();
}

/**
 * What each line comes to: the days so far, less the days before, each rounded. So the lines of a whole month come to exactly one
 * monthly amount, however it is divided.
 */
export function amountsOf({ lines }: Person, monthly: number, month: Month): number[] {
  let [count, paid] = [0, 0];
  return lines.map((line) => {
    count += days(line);
    const soFar = share(monthly, count, month.length());
    const now = soFar - paid;
    paid = soFar;
    return now;
  });
}
