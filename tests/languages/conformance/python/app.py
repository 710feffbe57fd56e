"""Calls the functions that the input names, and tells what they answered. ``contract.py`` is made of the contract."""

from dataclasses import dataclass
from typing import Any, List, Optional

from backroom import Err, invalid, refused, workflow
from contract import CALLS, write_types_error
from helpers import HELPERS


@dataclass
class Call:
    call: str
    args: List[Any]


@dataclass
class Input:
    calls: List[Call]
    end: Optional[str] = None
    """How the run ends, if not well."""


@dataclass
class Output:
    answers: list


def answer(call: Call) -> Any:
    function, readers, write = (HELPERS if call.call.startswith("sdk.") else CALLS)[call.call]
    return write(function(*(read(value) for read, value in zip(readers, call.args, strict=True))))


def run(input: Input) -> Output:
    answers, last = [], None
    for call in input.calls:
        try:
            answers.append({"ok": answer(call)})
        except Err as error:
            answers.append({"err": write_types_error(error.value)})
            last = error
    match input.end:
        case None:
            return Output(answers)
        case "error" if last:
            raise last
        case "refuse":
            raise refused("conformance-refused", "Nein – 否 🛑")
        case "invalid":
            raise invalid("conformance-invalid", "input.calls[0]", 'Ünï: "1"')
        case _:
            raise RuntimeError("as the input says")


WitWorld = workflow(run, Input)
