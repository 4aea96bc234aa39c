"""Who received one person's data, line by line, wherever it is stored.

A share with one person has a line of its own in ``consent_disclosure``. One with many
has its line in ``consent_batch`` once, and everybody's part in it beside that: by their
handle, or by their id where they had no handle yet. Whoever was named in a batch and
then not handed over has a denial of their own, which stands for it; unless an official
stopped it for everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

import sqlalchemy as sa

from consentkit.core.decision import Reason
from consentkit.store import schema
from consentkit.store.bars import not_barred

if TYPE_CHECKING:
    from consentkit.core.act import Millis

__all__ = ["lines_about"]

_DISCLOSURE, _SUBJECT = schema.disclosure, schema.subject
_BATCH, _ENTRY, _STRANGER = schema.batch, schema.batch_entry, schema.batch_stranger
# In the text of the statement, and no values of it: a ``Statement`` takes them so.
_WITHOUT_DENIAL: list[sa.ColumnClause[str]] = [
    sa.literal_column(f"'{reason.value}'")
    for reason in (Reason.GRANTED, Reason.SUSPENDED)
]
_COMMON = ("time", "purpose", "recipient", "data")


_Subject: TypeAlias = "str | sa.BindParameter[str]"


def lines_about(subject: _Subject, *, now: Millis | None = None) -> sa.Subquery:
    """A row for each share and each refused attempt, with the names of the table.

    Without what is barred at ``now``, if that is given. ``subject`` may be the place of
    one, in a statement that is written once.
    """
    return sa.union_all(
        _alone(subject, now), _in_batches(subject), _before_they_were_known(subject)
    ).subquery("lines")


def _alone(subject: _Subject, now: Millis | None) -> sa.Select[Any]:
    columns = (_DISCLOSURE.c[name] for name in ("id", *_COMMON, "reason", "record"))
    mine = sa.select(*columns).where(_DISCLOSURE.c.subject == subject)
    return mine if now is None else mine.where(not_barred(now))


def _in_batches(subject: _Subject) -> sa.Select[Any]:
    # Batches first: there are few, and each is one look into the key of the entries.
    return (
        sa.select(
            _BATCH.c.leaf.label("id"),
            *(_BATCH.c[name] for name in _COMMON),
            _ENTRY.c.reason,
            _ENTRY.c.record,
        )
        .join_from(_BATCH, _ENTRY, _ENTRY.c.batch == _BATCH.c.number)
        .where(
            _ENTRY.c.handle
            == sa.select(_SUBJECT.c.handle)
            .where(_SUBJECT.c.subject == subject)
            .scalar_subquery(),
            sa.or_(_ENTRY.c.act.is_(None), _ENTRY.c.reason.in_(_WITHOUT_DENIAL)),
        )
    )


def _before_they_were_known(subject: _Subject) -> sa.Select[Any]:
    return (
        sa.select(
            _BATCH.c.leaf.label("id"),
            *(_BATCH.c[name] for name in _COMMON),
            _STRANGER.c.reason,
            sa.literal_column("''").label("record"),
        )
        .join_from(_BATCH, _STRANGER, _STRANGER.c.batch == _BATCH.c.number)
        .where(_STRANGER.c.subject == subject)
    )
