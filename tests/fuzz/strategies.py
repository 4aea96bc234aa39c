"""Inputs that are nearly right: a valid one, damaged where a reader might not look.

Random bytes are refused at the first byte. These get further: bytes, lines, numbers,
base64 and JSON of a good input are changed, in ways that lax readers let pass.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import TypeAlias

from hypothesis import strategies as st

__all__ = ["damaged"]

Damage: TypeAlias = Callable[[st.DrawFn, bytes], bytes]

# Longer than any reader takes, but for those of proofs and of the declaration.
_LONG = 100_000

_NUMBER = re.compile(rb"[0-9]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{4,}={0,2}")
_QUOTED = re.compile(rb'"[^"\n]*"')
_OBJECT = re.compile(rb"\{.*\}")

# Other spellings of a number, and numbers at the edge of what readers hold.
_NUMBERS = (
    *(b"+5", b"-5", b"05", b" 5", b"5 ", b"5_0", b"5.0", b"5e0", b"0x5", b"-0", b""),
    *("\u0665".encode(), "\uff15".encode(), "²".encode(), b"9" * 19, b"9" * 20),
    *(b"%d" % (2**power - 1) for power in (8, 32, 53, 63, 64)),
    *(b"%d" % 2**power for power in (8, 32, 53, 63, 64)),
    b"0",
    b"1" * 5000,
)

# What some readers take for the end of a line, for nothing, or for white space.
_SCRAPS = (
    *(b"\n", b"\n\n", b"\r\n", b"\r", b"\t", b" ", b"\x00", b"\x0b", b"\x0c", b"\x7f"),
    *("\u2028".encode(), "\u0085".encode(), "\u00a0".encode(), "\ufeff".encode()),
    *(b"\xff", b"\xed\xa0\x80", b"=", b"+", "— ".encode(), b'"', b"\\", b"[", b"{"),
)
_VALUES: tuple[Any, ...] = (
    *("", "a", "A b", "\ud800", "\u2028", "0" * 32, "é", "x" * 600, "2026-01-01"),
    *(0, 1, -1, 2**53, 2**63, 10**30, 1.5, float("nan"), True, False, None),
    *([], {}, [[]], ["a", "a"], {"a": 1}),
)


def damaged(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Inputs that are one to three damages away from one of ``seeds``."""
    return st.composite(_damaged)(tuple(seeds))


def _damaged(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    data = draw(st.sampled_from(seeds))
    for damage in draw(st.lists(st.sampled_from(_DAMAGES), min_size=1, max_size=3)):
        data = damage(draw, data)
    return data


def _place(draw: st.DrawFn, data: bytes) -> int:
    return draw(st.integers(0, len(data)))


def _flip_bits(draw: st.DrawFn, data: bytes) -> bytes:
    if not data:
        return data
    at = draw(st.integers(0, len(data) - 1))
    changed = bytes([data[at] ^ draw(st.integers(1, 255))])
    return data[:at] + changed + data[at + 1 :]


def _cut(draw: st.DrawFn, data: bytes) -> bytes:
    begin, end = sorted((_place(draw, data), _place(draw, data)))
    return data[:begin] + data[end:]


def _insert(draw: st.DrawFn, data: bytes) -> bytes:
    at = _place(draw, data)
    scrap = draw(st.sampled_from(_SCRAPS) | st.binary(max_size=8))
    return data[:at] + scrap + data[at:]


def _repeat(draw: st.DrawFn, data: bytes) -> bytes:
    begin, end = sorted((_place(draw, data), _place(draw, data)))
    part, times = data[begin:end], draw(st.sampled_from([2, 3, 64, 2000, 20_000]))
    return data[:begin] + part * min(times, _LONG // (len(part) + 1)) + data[end:]


def _move_lines(draw: st.DrawFn, data: bytes) -> bytes:
    return b"\n".join(draw(st.permutations(data.split(b"\n"))))


def _double_a_line(draw: st.DrawFn, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    return b"\n".join(lines[: at + 1] + lines[at:])


def _drop_a_line(draw: st.DrawFn, data: bytes) -> bytes:
    lines = data.split(b"\n")
    del lines[draw(st.integers(0, len(lines) - 1))]
    return b"\n".join(lines)


def _end_lines_otherwise(draw: st.DrawFn, data: bytes) -> bytes:
    return data.replace(b"\n", draw(st.sampled_from(_SCRAPS)), draw(st.integers(1, 9)))


def _respell_a_number(draw: st.DrawFn, data: bytes) -> bytes:
    return _replace_one(draw, data, _NUMBER, lambda _: draw(st.sampled_from(_NUMBERS)))


def _unquote(draw: st.DrawFn, data: bytes) -> bytes:
    """Something else stands where a text stood: a number, a list, far too much."""
    other = draw(st.sampled_from([*_NUMBERS, *_SCRAPS, b"[" * 5000, b'"', b"[[]]"]))
    return _replace_one(draw, data, _QUOTED, lambda _: other)


def _change_in_base64(draw: st.DrawFn, data: bytes) -> bytes:
    """What base64 hides is changed, and spelled well again."""

    def change(encoded: bytes) -> bytes:
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return encoded[:-1]
        inner = draw(st.sampled_from([_flip_bits, _cut, _insert, _change_in_json]))
        return base64.b64encode(inner(draw, raw))

    return _replace_one(draw, data, _BASE64, change)


def _change_in_json(draw: st.DrawFn, data: bytes) -> bytes:
    """One value of the first JSON object is another one; the spelling stays ours."""
    found = _OBJECT.search(data)
    try:
        value = json.loads(found[0]) if found else None
    except ValueError:
        value = None
    if found is None or not value:
        return _flip_bits(draw, data)
    changed = _changed(draw, value)
    text = json.dumps(
        changed, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    spelled = text.encode("utf-8", "surrogatepass")
    return data[: found.start()] + spelled + data[found.end() :]


def _changed(draw: st.DrawFn, value: Any) -> Any:
    if not isinstance(value, (dict, list)) or not value or draw(st.booleans()):
        return draw(st.sampled_from(_VALUES))
    if isinstance(value, list):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _changed(draw, value[at]), *value[at + 1 :]]
    name = draw(st.sampled_from(sorted(value)))
    rest = {key: each for key, each in value.items() if key != name}
    match draw(st.sampled_from(["change", "change", "drop", "rename"])):
        case "drop":
            return rest
        case "rename":
            return {**rest, draw(st.sampled_from(["", "email", name + "s"])): "x"}
    return {**rest, name: _changed(draw, value[name])}


def _replace_one(
    draw: st.DrawFn,
    data: bytes,
    pattern: re.Pattern[bytes],
    change: Callable[[bytes], bytes],
) -> bytes:
    found = list(pattern.finditer(data))
    if not found:
        return _flip_bits(draw, data)
    one = draw(st.sampled_from(found))
    return data[: one.start()] + change(one[0]) + data[one.end() :]


_DAMAGES: tuple[Damage, ...] = (
    _flip_bits,
    _cut,
    _insert,
    _repeat,
    _move_lines,
    _double_a_line,
    _drop_a_line,
    _end_lines_otherwise,
    _respell_a_number,
    _unquote,
    _change_in_base64,
    _change_in_json,
)
