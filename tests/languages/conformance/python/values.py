"""Plain and composed values out of JSON and back."""

from componentize_py_types import Err, Ok


def same(v):
    return v


def nothing(v):
    return None


def data(v):
    return bytes.fromhex(v)


def hexadecimal(v):
    return bytes(v).hex()


def option(one):
    return lambda v: None if v is None else one(v)


def many(one):
    return lambda v: [one(item) for item in v]


def either(ok, err):
    return lambda v: {"ok": ok(v.value)} if isinstance(v, Ok) else {"err": err(v.value)}
