"""Keys in little memory: as exact as a dict, and closed to whoever writes the log."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit import seen
from consentkit.audit.seen import KEY_SIZE
from consentkit.audit.seen import Keys
from consentkit.audit.seen import Mark
from consentkit.audit.seen import Places

NUMBERS = st.integers(0, 300)
KEYS = st.one_of(
    NUMBERS.map(lambda number: number.to_bytes(KEY_SIZE, "big")),
    NUMBERS.map(lambda number: number.to_bytes(KEY_SIZE, "little")),
    st.binary(min_size=KEY_SIZE, max_size=KEY_SIZE),
)


def key_of(number: int) -> bytes:
    return number.to_bytes(KEY_SIZE, "little")


@patch.object(seen, "_FIRST_BITS", 1)
@patch.object(seen, "_ROWS", 1)
@given(st.lists(KEYS, max_size=600))
def test_keys_are_those_of_a_set(keys: list[bytes]) -> None:
    """With buckets that split all the time."""
    held, expected = Keys(), set[bytes]()
    for key in keys:
        assert held.add(key) is (key not in expected)
        expected.add(key)

    assert len(held) == len(expected)


@patch.object(seen, "_FIRST_BITS", 1)
@patch.object(seen, "_ROWS", 1)
@given(st.lists(KEYS, max_size=600))
def test_keys_are_numbered_as_they_first_come(keys: list[bytes]) -> None:
    places, expected = Places(), dict[bytes, int]()
    for key in keys:
        assert places.find(key) == expected.get(key)
        assert places.place(key) == expected.setdefault(key, len(expected))

    assert [places.find(key) for key in keys] == [expected[key] for key in keys]
    assert len(places) == len(expected)


@patch.object(seen, "_ROWS", 1)
def test_nothing_is_lost_while_the_buckets_split() -> None:
    """Until two bytes of each key are no longer kept."""
    count = 2**16 + 1
    keys, places = Keys(), Places()

    assert all(keys.add(key_of(number)) for number in range(count))
    assert [places.place(key_of(number)) for number in range(count)] == [*range(count)]
    assert not any(keys.add(key_of(number)) for number in range(count))
    assert [places.find(key_of(number)) for number in range(count)] == [*range(count)]
    assert keys.add(b"\xff" * KEY_SIZE)
    assert places.find(b"\xff" * KEY_SIZE) is None
    assert (keys._width, places._width) == (KEY_SIZE - 2, KEY_SIZE - 2 + 4)


def test_keys_that_differ_in_one_bit_are_two_keys() -> None:
    keys, key = Keys(), bytearray(KEY_SIZE)
    keys.add(bytes(key))
    for bit in range(8 * KEY_SIZE):
        changed = bytearray(key)
        changed[bit // 8] ^= 1 << bit % 8
        assert keys.add(bytes(changed))


def test_a_key_that_lies_across_two_others_is_none_of_them() -> None:
    """And where it lies there first, it is still found further on."""
    ones, twos = bytes([0, *[1] * 15]), bytes([0, *[2] * 15])
    across = bytes([0, *[1] * 14, 2])
    keys, places = Keys(), Places()
    keys._factor = places._factor = 1
    numbered = bytes([0, *[1] * 11, 0, 0, 0, 0])  # its end is the number of the first

    assert [keys.add(key) for key in (ones, twos, across)] == [True] * 3
    assert not keys.add(across)
    assert places.place(bytes([0, *[5] * 4, *[1] * 11])) == 0
    assert places.find(numbered) is None
    assert places.place(numbered) == 1
    assert places.place(numbered) == 1


def test_keys_that_are_much_alike_lie_far_apart() -> None:
    for shift in (0, 50, 100):
        keys = Keys()
        keys._factor = 0x9E3779B97F4A7C15F39CC0605CEDC835  # one that is as good as any
        for number in range(20_000):
            keys.add((number << shift).to_bytes(KEY_SIZE, "big"))
        rows = [len(bucket) // keys._width for bucket in keys._buckets]

        assert sum(rows) == 20_000
        assert max(rows) < 2 * 20_000 // len(rows)


def test_where_a_key_lies_cannot_be_foreseen() -> None:
    """Or a log could be written whose keys all collide: a search of each for all."""
    keys = [key_of(number) for number in range(600)]
    buckets = [[table._locate(key)[0] for key in keys] for table in (Keys(), Keys())]

    alike = sum(one == other for one, other in zip(*buckets, strict=True))
    assert alike < 50  # one in 256 by chance


def test_a_mark_tells_values_apart_and_is_another_one_each_time() -> None:
    mark, other = Mark(), Mark()
    values = [b"%d" % number for number in range(2_000)]

    assert len({mark.key(value) for value in values}) == len(values)
    assert len({mark.number(value) for value in values}) == len(values)
    assert mark.key(b"a") == mark.key(b"a") != other.key(b"a")
    assert mark.number(b"a") == mark.number(b"a") != other.number(b"a")
    assert len(mark.key(b"a")) == KEY_SIZE
    assert -(2**63) <= mark.number(b"a") < 2**63
