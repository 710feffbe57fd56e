// The SDK's own helpers, beside the functions of the contract.
import { read_types_decimal, read_types_money, write_types_business_date, write_types_decimal, write_types_money } from "./contract";
import {
  date, firstOfMonth, lastOfMonth, minorDigits, Month, parseAmount, parseDecimal, parseMoney, parseMonth, plus, share, showAmount, showDate,
  showDecimal, showMoney, times,
} from "./sdk/index";
import type { Json } from "./values";

const [money, amount, day] = [read_types_money, write_types_money, write_types_business_date];

export const helpers: Record<string, (args: Json[]) => Json> = {
  "sdk.plus": ([one, other]) => amount(plus(money(one), money(other))),
  "sdk.times": ([one, count]) => amount(times(money(one), count)),
  "sdk.share": ([one, part, whole]) => amount(share(money(one), part, whole)),
  "sdk.minor-digits": ([currency]) => minorDigits(currency),
  "sdk.parse-money": ([text]) => amount(parseMoney(text)),
  "sdk.parse-amount": ([text, currency]) => amount(parseAmount(text, currency)),
  "sdk.show-money": ([one]) => showMoney(money(one)),
  "sdk.show-amount": ([one]) => showAmount(money(one)),
  "sdk.parse-decimal": ([text]) => write_types_decimal(parseDecimal(text)),
  "sdk.show-decimal": ([one]) => showDecimal(read_types_decimal(one)),
  "sdk.date": ([text]) => day(date(text)),
  "sdk.show-date": ([text]) => showDate(date(text)),
  "sdk.first-of-month": ([text]) => day(firstOfMonth(date(text))),
  "sdk.last-of-month": ([text]) => day(lastOfMonth(date(text))),
  "sdk.month-of": ([text]) => Month.of(date(text)).toString(),
  "sdk.parse-month": ([text]) => parseMonth(text).toString(),
  "sdk.month-first": ([text]) => day(parseMonth(text).first()),
  "sdk.month-last": ([text]) => day(parseMonth(text).last()),
  "sdk.month-next": ([text]) => parseMonth(text).next().toString(),
  "sdk.month-previous": ([text]) => parseMonth(text).previous().toString(),
};
