"""What an answer rested on, compared with what is asked now (PIPL Art. 17(2)).

Both sides are definitions as the manifest of a notice holds them. Only what differs in
substance is a change: another wording is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

__all__ = ["Aspect", "Change", "compare"]


class Aspect(StrEnum):
    """What about a question has changed."""

    ASKER_NAME = "asker_name"
    ASKER_COUNTRY = "asker_country"
    RECIPIENT_ADDED = "recipient_added"
    RECIPIENT_REMOVED = "recipient_removed"
    RECIPIENT_NAME = "recipient_name"
    RECIPIENT_COUNTRY = "recipient_country"
    RECIPIENT_RELATION = "recipient_relation"
    RECIPIENT_ROLE = "recipient_role"
    RETENTION = "retention"
    VALIDITY = "validity"
    AUTOMATED = "automated"
    NOT_AUTOMATED = "not_automated"
    OPERATIONS = "operations"
    DATA_ADDED = "data_added"
    DATA_REMOVED = "data_removed"
    DATA_NEEDED = "data_needed"
    DATA_OPTIONAL = "data_optional"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; ``before`` and ``after`` as far as there is one.

    Names, ids of countries, relations and roles, ISO 8601 durations, seconds (the
    validity), sorted ids of data categories and of operations.
    """

    aspect: Aspect
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


_VALUES = (
    (Aspect.ASKER_NAME, ("controller", "name")),
    (Aspect.ASKER_COUNTRY, ("controller", "country")),
    (Aspect.RECIPIENT_NAME, ("recipient", "name")),
    (Aspect.RECIPIENT_COUNTRY, ("recipient", "country")),
    (Aspect.RECIPIENT_RELATION, ("recipient", "relation")),
    (Aspect.RECIPIENT_ROLE, ("recipient", "role")),
    (Aspect.RETENTION, ("retention",)),
    (Aspect.VALIDITY, ("valid_for",)),
)


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """How the definition of one question has changed, in the order of a notice."""
    return tuple(_changes(before, after))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    yield from _data(_items(before), _items(after))
    for aspect, path in _VALUES:
        was, now = _at(before, path), _at(after, path)
        if was != now:
            yield Change(aspect, (was,), (now,))
    if before["automated"] != after["automated"]:
        yield Change(Aspect.AUTOMATED if after["automated"] else Aspect.NOT_AUTOMATED)
    if set(before["operations"]) != set(after["operations"]):
        yield Change(
            Aspect.OPERATIONS,
            tuple(sorted(before["operations"])),
            tuple(sorted(after["operations"])),
        )


def _at(definition: Mapping[str, Any], path: tuple[str, ...]) -> str:
    value: Any = definition
    for name in path:
        value = value[name]
    return str(value)


def _items(definition: Mapping[str, Any]) -> dict[str, bool]:
    """Whether each data category is optional, by its id."""
    return {item["id"]: bool(item["optional"]) for item in definition["data"]}


def _data(before: dict[str, bool], after: dict[str, bool]) -> Iterator[Change]:
    added, removed = after.keys() - before, before.keys() - after
    other = {each for each in after.keys() & before if after[each] != before[each]}
    needed = {each for each in other if before[each]}
    if added:
        yield Change(Aspect.DATA_ADDED, after=tuple(sorted(added)))
    if removed:
        yield Change(Aspect.DATA_REMOVED, before=tuple(sorted(removed)))
    if needed:
        yield Change(Aspect.DATA_NEEDED, after=tuple(sorted(needed)))
    if other - needed:
        yield Change(Aspect.DATA_OPTIONAL, after=tuple(sorted(other - needed)))
