"""A standing answer as columns of ``consent_state``, and back."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Standing
from consentkit.core.status import Status
from consentkit.errors import LogUnavailableError
from consentkit.errors import MalformedError
from consentkit.errors import wordless
from consentkit.store import schema
from consentkit.store.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "STATUS_COLUMNS",
    "blob",
    "moment_from",
    "row_of",
    "standing_from",
    "status_from",
    "statuses_of",
]

STATUS_COLUMNS = (
    *("state", "data", "until", "scope", "assurance", "record", "since", "notice"),
)
"""The columns a status is made of, in the order every reader selects them in."""

_SUSPENDED = len(STATUS_COLUMNS)
_OF_AGE = _SUSPENDED + 1

# Looking a word up is three times as fast as calling the enumeration.
_STATES = {state.value: state for state in State}
_ASSURANCES = {level.value: level for level in Assurance}
_CORRUPT = (AttributeError, KeyError, OverflowError, TypeError, ValueError)


_STATUSES = Statement(
    sa.select(
        *(schema.state.c[name] for name in (*STATUS_COLUMNS, "purpose", "recipient"))
    ).where(schema.state.c.subject == sa.bindparam("subject"))
)


def row_of(status: Status) -> dict[str, Any]:
    """The columns of a status."""
    return {
        "state": status.state.value,
        "data": " ".join(sorted(status.data)),
        "until": status.until,
        "scope": status.scope,
        "assurance": status.assurance.value,
        "record": status.record,
        "since": status.since,
        "notice": status.notice,
    }


def status_from(row: Sequence[Any]) -> Status:
    """The status in a row that begins with ``STATUS_COLUMNS``.

    Raises:
        LogUnavailableError: the row is corrupt.
    """
    try:
        if not (type(row[1]) is type(row[3]) is type(row[5]) is type(row[7]) is str):
            raise TypeError("SQLite keeps any type in any column")
        # Of one tuple: every check makes one, and by its fields it takes twice as long.
        return Status._make(
            (
                _STATES[row[0]],
                _categories(row[1]),
                int(row[2]),
                row[3],
                _ASSURANCES[row[4]],
                row[5],
                int(row[6]),
                row[7],
            )
        )
    except _CORRUPT as error:
        raise LogUnavailableError(
            "a row of the state table holds what nobody can have answered; compare it "
            "with the leaves: flask consent rebuild --check"
        ) from wordless(error)


def standing_from(row: Sequence[Any]) -> Standing:
    """What a decision rests on, in the row that every hot read selects.

    It holds ``STATUS_COLUMNS`` of the question, whether it is suspended, when the
    person comes of age, and ``STATUS_COLUMNS`` of the transfer, where one is asked for.

    Raises:
        LogUnavailableError: the row is corrupt.
    """
    abroad = row[_OF_AGE + 1 :]
    return Standing(
        None if row[0] is None else status_from(row),
        status_from(abroad) if abroad and abroad[0] is not None else None,
        bool(row[_SUSPENDED]),
        moment_from(row[_OF_AGE]),
    )


def moment_from(value: object) -> Millis | None:
    """A time that was stored, None if none was.

    Raises:
        LogUnavailableError: it no longer is one; SQLite keeps any type in any column.
    """
    if value is None:
        return None
    if not isinstance(value, int):
        raise LogUnavailableError("what was stored as a time is no longer a time")
    return Millis(value)


def statuses_of(
    connection: sa.Connection, subject: str
) -> dict[tuple[str, str], Status]:
    """Every standing answer of one person, by (purpose, recipient).

    Raises:
        LogUnavailableError: a row is corrupt.
    """
    rows = _STATUSES.rows(connection, subject=subject)
    return {(row[-2], row[-1]): status_from(row) for row in rows}


def blob(value: object) -> bytes:
    """A value that was stored as bytes.

    Raises:
        MalformedError: it no longer is one; SQLite keeps any type in any column.
    """
    if not isinstance(value, bytes):
        raise MalformedError("what was stored as bytes is no longer bytes")
    return value


@lru_cache(maxsize=1024)
def _categories(column: str) -> frozenset[str]:
    """The ids in a column of them: a handful of spellings fills millions of rows."""
    return frozenset(column.split())
