"""Keys in little memory: as exact as a dict, and closed to whoever writes the log."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.seen import KEY_SIZE
from consentkit.audit.seen import Mark
from consentkit.audit.seen import Places


@given(st.lists(st.integers(0, 300), max_size=2_000))
def test_keys_are_numbered_as_they_first_come(numbers: list[int]) -> None:
    places, expected = Places(), dict[bytes, int]()
    for number in numbers:
        key = number.to_bytes(KEY_SIZE, "big")
        assert places.find(key) == expected.get(key)
        assert places.place(key) == expected.setdefault(key, len(expected))

    assert len(places) == len(expected)


def test_nothing_is_lost_while_the_table_grows() -> None:
    places = Places()
    keys = [number.to_bytes(KEY_SIZE, "little") for number in range(10_000)]

    assert all(places.add(key) for key in keys)
    assert not any(places.add(key) for key in keys)
    assert [places.find(key) for key in keys] == list(range(10_000))
    assert places.find(b"\xff" * KEY_SIZE) is None


def test_keys_that_differ_in_one_bit_are_two_keys() -> None:
    places, key = Places(), bytearray(KEY_SIZE)
    places.add(bytes(key))
    for bit in range(8 * KEY_SIZE):
        changed = bytearray(key)
        changed[bit // 8] ^= 1 << bit % 8
        assert places.add(bytes(changed))


def test_where_a_key_lies_cannot_be_foreseen() -> None:
    """Or a log could be written whose keys all collide: a search of each for all."""
    keys = [number.to_bytes(KEY_SIZE, "little") for number in range(600)]
    slots = []
    for _ in range(2):
        places = Places()
        for key in keys:
            places.add(key)
        hashes = [hash(places._secret + key) for key in keys]
        slots.append(list(map(places._slot, hashes, keys)))

    alike = sum(one == other for one, other in zip(*slots, strict=True))
    assert alike < 50  # one in a thousand by chance


def test_a_mark_tells_values_apart_and_is_another_one_each_time() -> None:
    mark, other = Mark(), Mark()
    values = [b"%d" % number for number in range(2_000)]

    assert len({mark.key(value) for value in values}) == len(values)
    assert len({mark.number(value) for value in values}) == len(values)
    assert mark.key(b"a") == mark.key(b"a") != other.key(b"a")
    assert mark.number(b"a") == mark.number(b"a") != other.number(b"a")
    assert len(mark.key(b"a")) == KEY_SIZE
    assert -(2**63) <= mark.number(b"a") < 2**63
