"""What an error may say of itself where somebody could read it."""

from __future__ import annotations

import traceback

import pytest

from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless

WHO = "Key (subject)=(ann-9) already exists"


class DriverError(Exception):
    """As a driver raises it, with what was in the row."""

    sqlstate = "23505"


def insert() -> None:
    raise DriverError(WHO)


def fail() -> None:
    try:
        insert()
    except DriverError as error:
        raise LogUnavailableError("the database did not answer") from error


def printed(error: BaseException | None) -> str:
    assert error is not None
    return "".join(traceback.format_exception(error))


@pytest.mark.requirement("R45")
def test_an_error_and_what_caused_it_are_told_by_type_and_frames() -> None:
    with pytest.raises(LogUnavailableError) as caught:
        fail()
    told = printed(wordless(caught.value))
    assert "ann-9" not in told
    assert "LogUnavailableError: the database did not answer" in told
    assert "DriverError" in told
    assert "in insert" in told
    assert "direct cause" in told
    assert "ann-9" in printed(caught.value), "it is a copy"


def test_the_state_that_a_database_names_stays() -> None:
    assert getattr(wordless(DriverError("ann-9")), "sqlstate", "") == "23505"


def test_the_system_says_what_happened_and_not_to_which_file() -> None:
    told = printed(wordless(OSError(28, "No space left on device", "ann-9.pdf")))
    assert told == "OSError: [Errno 28] No space left on device\n"


def test_errors_that_name_each_other_as_cause_come_to_an_end() -> None:
    first, second = ValueError("ann-9"), KeyError("ann-9")
    first.__cause__, second.__cause__ = second, first
    assert "ann-9" not in printed(wordless(first))
