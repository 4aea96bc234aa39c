"""One value, one spelling: the JSON that is hashed and signed (RFC 8785 profile).

The profile has no traps in it: strings, booleans, integers that every JSON reader
keeps exact, arrays, objects. Floats and null are refused, so two programs cannot
disagree about their spelling or their meaning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TypeAlias

from consentkit.errors import MalformedError

__all__ = ["JSON", "MAX_DEPTH", "MAX_INTEGER", "decode", "digest", "encode"]

JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON]"

# RFC 7493 §2.2: beyond this, readers that use binary64 round integers.
MAX_INTEGER = 2**53 - 1

# The deepest document of ours has 6 levels; a deeper one is an attack on the reader.
MAX_DEPTH = 16


def encode(value: object) -> bytes:
    """Return the only spelling of ``value``, as UTF-8 (RFC 8785 §3.2).

    >>> encode({"until": 0, "data": ["city", "spending"]})
    b'{"data":["city","spending"],"until":0}'

    Raises:
        MalformedError: a float, null, unsafe integer, key that is no string, lone
            surrogate, foreign type or too deep a nesting; the message says where.
    """
    plain = _sorted(value, "$", MAX_DEPTH)
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError as e:
        raise MalformedError(
            "canonical JSON takes Unicode text; a string holds a lone surrogate"
        ) from e


def decode(data: bytes) -> JSON:
    """Return the value that ``data`` spells, if ``data`` is its canonical spelling.

    Comparing with our own encoding is the whole check: white space, a key given
    twice, ``1.0``, ``NaN``, needless escapes and unsorted keys do not survive it.

    Raises:
        MalformedError: not UTF-8, not JSON, outside the profile, or spelled otherwise.
    """
    try:
        value: JSON = json.loads(data.decode())
    except (ValueError, RecursionError) as e:
        raise MalformedError("expected canonical JSON, got no JSON in UTF-8") from e
    if encode(value) != data:
        raise MalformedError("expected canonical JSON, got JSON in another spelling")
    return value


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical spelling, as 64 lowercase hex digits."""
    return hashlib.sha256(encode(value)).hexdigest()


def _sorted(value: object, where: str, depth: int) -> JSON:
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return _safe_integer(value, where)
    if depth == 0:
        raise MalformedError(f"canonical JSON nests at most {MAX_DEPTH} deep")
    if isinstance(value, (list, tuple)):
        return [_sorted(item, f"{where}[]", depth - 1) for item in value]
    if isinstance(value, Mapping):
        return _sorted_object(value, where, depth)
    raise MalformedError(
        "canonical JSON takes strings, booleans, integers, arrays and objects; "
        f"{where} is of type {type(value).__name__}"
    )


def _safe_integer(value: int, where: str) -> int:
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise MalformedError(
            f"canonical JSON takes integers up to 2^53-1 either way; {where} is beyond"
        )
    return value


def _sorted_object(value: Mapping[object, object], where: str, depth: int) -> JSON:
    names: list[str] = []
    for name in value:
        if not isinstance(name, str):
            raise MalformedError(
                f"canonical JSON takes strings as keys; {where} has one of type "
                f"{type(name).__name__}"
            )
        names.append(name)
    if not all(map(str.isascii, names)):
        names.sort(key=_utf16)
    else:
        names.sort()
    return {name: _sorted(value[name], f"{where}.{name}", depth - 1) for name in names}


def _utf16(name: str) -> bytes:
    # RFC 8785 §3.2.3 orders keys by UTF-16 code units. A lone surrogate is let through
    # here and refused where the whole text becomes UTF-8.
    return name.encode("utf-16-be", "surrogatepass")
