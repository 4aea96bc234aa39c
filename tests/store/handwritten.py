"""The gate in SQL as somebody would write it by hand who knows our tables.

The whole rule: state, end, scope, assurance, data, suspensions, coming of age.
"""

from __future__ import annotations

__all__ = ["rule"]

_UUID = "||'-'||".join(
    f"substr(lower(person.token), {first}, {length})"
    for first, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
)
_KEYS = {
    ("sqlite", "name"): "person.name",
    ("sqlite", "number"): "CAST(person.number AS TEXT)",
    ("sqlite", "token"): _UUID,
    ("postgresql", "name"): 'person.name COLLATE "C"',
    ("postgresql", "number"): 'person.number::text COLLATE "C"',
    ("postgresql", "token"): 'person.token::text COLLATE "C"',
}
_FIND = {"sqlite": "instr", "postgresql": "strpos"}


def rule(dialect: str, column: str) -> str:
    """The condition about that column, with named parameters for the rest."""
    key, find = _KEYS[dialect, column], _FIND[dialect]
    return f"""EXISTS (
    SELECT 1 FROM consent_state AS state
    WHERE state.subject = {key}
      AND state.purpose = :purpose AND state.recipient = :recipient
      AND state.state IN ('given', 'renewed')
      AND state.until > :now AND state.scope = :scope
      AND state.assurance IN ('session', 'confirmed', 'signed')
      AND {find}(' ' || state.data || ' ', ' ' || :data || ' ') > 0
      AND NOT EXISTS (
        SELECT 1 FROM consent_suspension AS stop
        WHERE stop.purpose IN ('', :purpose) AND stop.recipient IN ('', :recipient))
      AND NOT EXISTS (
        SELECT 1 FROM consent_coming_of_age AS age
        WHERE age.subject = state.subject AND age.at > state.since AND age.at <= :now)
)"""  # noqa: S608  of a test
