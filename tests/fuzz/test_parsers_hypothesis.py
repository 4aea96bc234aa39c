"""No bytes do more to a reader than be refused, and none are read two ways."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from base64 import b64decode
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

import consentkit.core
import consentkit.log
from consentkit.log.encoding import encode_base64

from .strategies import damaged
from .target import Target
from .targets import TARGETS

# Processor time for one input of at most a megabyte: readers are linear.
LONGEST = 2.0


def accepts_soon(target: Target, data: bytes) -> bool:
    """What ``accepts`` says, if it says so within the time that any input may cost."""
    begin = time.process_time()
    accepted = target.accepts(data)
    taken = time.process_time() - begin
    assert taken < LONGEST, f"{target.name}: {taken:.1f} s for {len(data)} bytes"
    return accepted


@pytest.mark.parametrize("name", TARGETS)
def test_what_honest_writers_wrote_is_read(name: str) -> None:
    target = TARGETS[name]

    assert all(target.accepts(seed) for seed in target.seeds)


@pytest.mark.parametrize("name", TARGETS)
@settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(st.data())
def test_a_damaged_input_is_refused_or_was_spelled_in_the_only_way(
    name: str, data: st.DataObject
) -> None:
    accepts_soon(TARGETS[name], data.draw(damaged(TARGETS[name].seeds)))


# What is cheap to send and dear to a careless reader, by the megabyte.
HUGE: dict[str, bytes] = {
    "zeroes": b"\x00",
    "digits": b"9",
    "newlines": b"\n",
    "spaces": b" ",
    "empty lines of a note": b"a\n\n",
    "signature lines": "— a AAAAAAAA\n".encode(),
    "lines of base64": encode_base64(bytes(32)) + b"\n",
    "a path without end": b"x000/",
    "open brackets": b"[",
    "open braces": b'{"a":',
    "commas": b"[0,",
    "keys of a table": b"a.",
    "key names": b"a+",
    "groups of a policy": b"group g any g\n",
    "letters beyond ASCII": "\u2028".encode(),
    "no UTF-8": b"\xff",
}


@pytest.mark.parametrize("what", HUGE)
@pytest.mark.parametrize("name", TARGETS)
def test_a_megabyte_is_refused_or_read_in_no_time(name: str, what: str) -> None:
    target, seed = TARGETS[name], TARGETS[name].seeds[0]
    for start in (b"", seed, seed[: len(seed) // 2]):
        for size in {1 << 14, 1 << 16, 1 << 20}:
            if size <= target.largest:
                accepts_soon(target, start + HUGE[what] * (size // len(HUGE[what])))


@pytest.mark.parametrize("name", TARGETS)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_refused_or_read_in_one_way(
    name: str, data: bytes
) -> None:
    accepts_soon(TARGETS[name], data)


LAX: dict[str, tuple[Target, bytes]] = {
    "takes a sign": (
        Target("int", int, (b"5",), lambda n: b"%d" % n, (ValueError,)),
        b"+5",
    ),
    "takes stray last bits": (
        Target("base64", b64decode, (b"AA==",), encode_base64, (ValueError,)),
        b"AB==",
    ),
    "lets another exception out": (Target("text", bytes.decode, (b"a",)), b"\xff"),
}


@pytest.mark.parametrize("name", LAX)
def test_a_lax_reader_would_be_found_out(name: str) -> None:
    target, data = LAX[name]

    assert all(target.accepts(seed) for seed in target.seeds)
    with pytest.raises((AssertionError, UnicodeDecodeError)):
        target.accepts(data)


READS = re.compile(r"(?:parse|read|open|split|decode|pick)_\w+|unseal|from_bytes")
FOLDER = Path(__file__).parent
AIMED_AT = "".join(file.read_text("utf-8") for file in FOLDER.glob("*_targets.py"))


@pytest.mark.parametrize("room", [consentkit.core, consentkit.log])
def test_no_reader_of_the_rooms_below_is_left_out(room: ModuleType) -> None:
    names = {
        name
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}.")
        for name in importlib.import_module(module.name).__all__
        if READS.fullmatch(name)
    }

    assert names, "there are readers in that room"
    assert [name for name in sorted(names) if name not in AIMED_AT] == []
