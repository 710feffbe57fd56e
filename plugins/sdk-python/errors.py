"""Errors of a plugin's own, of the same type as those of the service. Raise them."""

from componentize_py_types import Err
from wit_world.imports.types import Error_Invalid, Error_Refused, Problem


def refused(code: str, message: str) -> Err:
    """A rule of this workflow forbids it. ``code`` is a stable word in kebab-case, for programs; ``message`` is for people."""
    return Err(Error_Refused(Problem(code, None, message)))


def invalid(code: str, field: str, message: str) -> Err:
    """The input is not as it has to be; ``field`` is the place in it."""
    return Err(Error_Invalid([Problem(code, field, message)]))


def code_of(error: Err) -> str:
    """The code of the error; of several the first. Treat a code that you do not know by the error's class."""
    inside = error.value.value
    problems = inside if isinstance(inside, list) else [inside]
    return problems[0].code if problems else ""
