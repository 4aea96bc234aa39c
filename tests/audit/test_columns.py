"""Numbers in as few bytes as they need: as exact as a dict, however large they get."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.columns import Column

EDGES = [0, 1, *(2**bits + more for bits in (8, 16, 32) for more in (-1, 0, 1))]
NUMBERS = st.one_of(st.sampled_from([*EDGES, 2**64 - 1]), st.integers(0, 2**64 - 1))


@given(st.lists(st.tuples(st.integers(0, 40), NUMBERS), max_size=60))
def test_a_column_holds_what_a_dict_holds(puts: list[tuple[int, int]]) -> None:
    column, expected = Column(), dict[int, int]()
    for place, number in puts:
        column[place] = expected[place] = number
        assert [column[each] for each in range(50)] == [
            expected.get(each, 0) for each in range(50)
        ]

    assert len(column) == max(expected, default=-1) + 1


@pytest.mark.parametrize(
    ("number", "size"),
    [(0, 1), (255, 1), (256, 2), (2**16, 4), (2**32 - 1, 4), (2**32, 8)],
)
def test_all_numbers_are_as_wide_as_the_largest(number: int, size: int) -> None:
    column = Column()
    for place in range(100):
        column[place] = 7
    column[3] = number
    column[4] = 1

    assert column._held.itemsize == size
    assert [column[2], column[3], column[4], column[99]] == [7, number, 1, 7]
