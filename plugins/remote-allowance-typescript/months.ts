// Days of one month, as numbers: 1 to its last day, and 0 for the day before it.
import { date, daysInMonth, errorOf, invalid, showDate, type BusinessDate } from "./sdk/index";

/** As they are written, dates are in their order. */
function before(one: BusinessDate, other: BusinessDate): boolean {
  return showDate(one) < showDate(other);
}

export class Month {
  private constructor(private readonly first: BusinessDate) {}

  /** Reads `2026-06`. Throws `month-invalid`. */
  static parse(text: string): Month {
    try {
      return new Month(date(`${text}-01`));
    } catch (caught) {
      if (!errorOf(caught)) throw caught;
      throw invalid("month-invalid", "month", `${JSON.stringify(text)} is no month such as 2026-06`);
    }
  }

  toString(): string {
    return showDate(this.first).slice(0, 7);
  }

  /** The number of days. */
  length(): number {
    return daysInMonth(this.first.year, this.first.month);
  }

  /** Day `day` of the month, 1 to its length. */
  day(day: number): BusinessDate {
    return { ...this.first, day };
  }

  last(): BusinessDate {
    return this.day(this.length());
  }

  /** The day before the first. */
  eve(): BusinessDate {
    const { year: of, month: at } = this.first;
    const [year, month] = at === 1 ? [of - 1, 12] : [of, at - 1];
    return { year, month, day: daysInMonth(year, month) };
  }

  /** From which day to which day of the month (its eve counted as day 0) a stretch reaches; nothing if it does not. */
  reach(first: BusinessDate, last: BusinessDate | null | undefined): [number, number] | undefined {
    const end = last && before(last, this.last()) ? last : this.last();
    const begin = before(first, this.eve()) ? this.eve() : first;
    const number = (day: BusinessDate) => (before(day, this.first) ? 0 : day.day);
    return before(end, begin) ? undefined : [number(begin), number(end)];
  }
}
