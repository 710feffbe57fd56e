"""JSON in, JSON out: what the service passes becomes a dataclass, and what the workflow returns JSON."""

import json
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Callable, Type, Union, get_args, get_origin, get_type_hints

from componentize_py_types import Err
from wit_world.imports import log
from wit_world.imports.types import BusinessDate, Decimal, Money

from .dates import date, show_date
from .decimals import parse_decimal, show_decimal
from .errors import invalid, refused
from .money import parse_money, show_money
from .months import Month, parse_month

WRITTEN = {
    BusinessDate: (date, show_date),
    Decimal: (parse_decimal, show_decimal),
    Money: (parse_money, show_money),
    Month: (parse_month, str),
}
"""What is a text in JSON: how it is read and written."""


def workflow(run: Callable[[Any], Any], input_type: Type) -> Type:
    """The class that the service calls. Give it the name ``WitWorld`` in the module ``app``."""
    reads = _reader(input_type)

    class WitWorld:
        def run(self, input: str) -> str:
            try:
                try:
                    value = json.loads(input)
                except ValueError as why:
                    raise invalid("input-invalid", "input", str(why)) from None
                output = run(reads(value, "input"))
                try:
                    return json.dumps(output, default=_plain, ensure_ascii=False, separators=(",", ":"))
                except (TypeError, ValueError) as why:
                    raise refused("output-invalid", str(why)) from None
            except Err:
                raise
            except BaseException as why:
                # The run ends without a word of its own: what is known of the reason goes into its log.
                _tell(why)
                raise

    return WitWorld


def _tell(why: BaseException) -> None:
    # Python's own module for this looks for source files, and there are no files.
    step = why.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        log.write(log.Level.ERROR, f"{code.co_filename}:{step.tb_lineno} in {code.co_name}")
        step = step.tb_next
    log.write(log.Level.ERROR, f"{type(why).__name__}: {why}")


def _plain(value: Any) -> Any:
    if type(value) in WRITTEN:
        return WRITTEN[type(value)][1](value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


Reader = Callable[[Any, str], Any]


def _reader(wanted: Any) -> Reader:
    """What reads JSON as ``wanted``: a dataclass, an amount, a date, a month, a list, an optional, or a plain value. Made once, when the component is built."""
    if wanted in WRITTEN:
        return _written(WRITTEN[wanted][0])
    if wanted is Any:
        return lambda value, at: value
    if get_origin(wanted) is Union:
        inner = _reader(next(one for one in get_args(wanted) if one is not type(None)))
        return lambda value, at: None if value is None else inner(value, at)
    if get_origin(wanted) is list:
        item = _reader(get_args(wanted)[0])
        return lambda value, at: [item(one, f"{at}[{i}]") for i, one in enumerate(_is(value, list, at))]
    if is_dataclass(wanted):
        return _record(wanted)
    if wanted in (str, int, bool, dict, list):
        return lambda value, at: _is(value, wanted, at)
    raise TypeError(f"{wanted} cannot be read from JSON: use dataclasses, str, int, bool, list, Optional, Money, Decimal, BusinessDate and Month")


def _written(parse: Callable[[str], Any]) -> Reader:
    def read(value: Any, at: str) -> Any:
        try:
            return parse(_is(value, str, at))
        except Err as error:
            # What is wrong with an input has one code, whatever it is.
            raise invalid("input-invalid", at, error.value.value[0].message) from None

    return read


def _record(wanted: Type) -> Reader:
    hints = get_type_hints(wanted)
    readers = {field.name: _reader(hints[field.name]) for field in fields(wanted)}
    needed = [f.name for f in fields(wanted) if f.default is MISSING and f.default_factory is MISSING]

    def read(value: Any, at: str) -> Any:
        _is(value, dict, at)
        for name in value:
            if name not in readers:
                raise invalid("input-invalid", f"{at}.{name}", "there is no such field")
        for name in needed:
            if name not in value:
                raise invalid("input-invalid", f"{at}.{name}", "it is missing")
        return wanted(**{name: readers[name](one, f"{at}.{name}") for name, one in value.items()})

    return read


def _is(value: Any, wanted: Type, at: str) -> Any:
    # A bool is an int for Python, and not for anybody else.
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise invalid("input-invalid", at, f"{type(value).__name__} instead of {wanted.__name__}")
    return value
