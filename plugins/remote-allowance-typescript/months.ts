// Days of one month, as numbers: 1 to its last day, and 0 for the day before it.
import { showDate, type BusinessDate, type Month } from "./sdk/index";

/** As they are written, dates are in their order. */
function before(one: BusinessDate, other: BusinessDate): boolean {
  return showDate(one) < showDate(other);
}

/** Day `day` of the month, 1 to its length. */
export function dayOf(month: Month, day: number): BusinessDate {
  return { ...month.first(), day };
}

/** The day before the first. Throws `month-invalid` (of the first month that there is). */
export function eve(month: Month): BusinessDate {
  return month.previous().last();
}

/** From which day to which day of the month (its eve counted as day 0) a stretch reaches; nothing if it does not. Throws as `eve`. */
export function reach(month: Month, first: BusinessDate, last: BusinessDate | null | undefined): [number, number] | undefined {
  const end = last && before(last, month.last()) ? last : month.last();
  const begin = before(first, eve(month)) ? eve(month) : first;
  const number = (day: BusinessDate) => (before(day, month.first()) ? 0 : day.day);
  return before(end, begin) ? undefined : [number(begin), number(end)];
}
