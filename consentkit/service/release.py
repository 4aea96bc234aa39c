"""What a yes hands over, and nothing beyond it.

A release belongs to one share. It filters data to the categories that the person
agreed to: every field of a marshmallow schema says which category it belongs to, and
a field that does not is an error, since nobody could say whether it may leave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from marshmallow import Schema
from marshmallow import fields

from consentkit.errors import ConsentDeniedError
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Container
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.core.decision import Decision

__all__ = ["Release"]

CATEGORY = "category"
"""The key of a field's metadata under which its data category stands."""


_MAX_DEPTH = 32  # no record that is handed over is nested that deep


class Release:
    """The permission to share, for the length of one ``with`` block.

    ``ask_again`` is the same check once more, ``known`` the declared data categories.
    """

    def __init__(
        self,
        decision: Decision,
        *,
        disclosure: str,
        ask_again: Callable[[], Decision],
        known: Container[str],
    ) -> None:
        self.decision = decision
        self.disclosure = disclosure
        """The id of the disclosure leaf, durable before this object existed."""
        self._ask_again = ask_again
        self._known = known
        self._over = False

    def __repr__(self) -> str:
        return (
            f"<Release {self.purpose!r} to {self.recipient!r}: "
            f"{', '.join(sorted(self.data))}>"
        )

    @property
    def purpose(self) -> str:
        """The purpose the data may be used for."""
        return self.decision.purpose

    @property
    def recipient(self) -> str:
        """The one recipient that may get it."""
        return self.decision.recipient

    @property
    def data(self) -> frozenset[str]:
        """The ids of the data categories that may leave."""
        return self.decision.data

    @property
    def record(self) -> str:
        """The id of the consent record that this rests on."""
        return self.decision.record

    def only(self, schema: Schema, rows: Any) -> Any:
        """``rows`` dumped by ``schema``, without any field that is not covered.

        Each field carries ``metadata={"category": "<data category id>"}``; a nested
        schema may leave that to its own fields. The gate is asked once more, so that
        what was stopped since the block began is not handed over.

        Raises:
            ConsentDeniedError: the person has stopped it meanwhile.
            DeclarationError: a field of the schema names no declared data category, or
                hides further fields in a way that cannot be filtered.
            InvalidRequestError: the block of this release is over.
        """
        keep = _kept(schema, self, (type(schema).__name__,))
        self._check_live()
        dumped = schema.dump(rows)
        if schema.many:
            return [_prune(row, keep) for row in dumped]
        return _prune(dumped, keep)

    def end(self) -> None:
        """Hand over nothing from here on: the block is over."""
        self._over = True

    def covers(self, category: str, where: str) -> bool:
        """Whether a field of that category may leave.

        Raises:
            DeclarationError: no such data category is declared.
        """
        if category not in self._known:
            raise DeclarationError(
                f"{where} belongs to a data category that is not declared: "
                f"{category!r:.80}; give it the id of one that is"
            )
        return category in self.data

    def _check_live(self) -> None:
        if self._over:
            raise InvalidRequestError(
                "a release ends with its block: hand data over inside of it, or share "
                "again"
            )
        decision = self._ask_again()
        if not decision:
            raise ConsentDeniedError(decision)


_Kept = dict[str, "_Kept | None"]
"""Key of the dumped data -> what is kept within it, None for the whole value."""


def _kept(schema: Schema, release: Release, path: tuple[str, ...]) -> _Kept:
    if len(path) > _MAX_DEPTH:
        raise DeclarationError(
            f"{path[0]} nests schemas more than {_MAX_DEPTH} deep, or within "
            "themselves: no end of its fields can be seen, so nothing may leave by it"
        )
    kept: _Kept = {}
    for key, field in schema.dump_fields.items():
        category = field.metadata.get(CATEGORY)
        where = (*path, key)
        nested = _nested(field, where)
        if category is None and nested is None:
            raise DeclarationError(
                f"{'.'.join(where)} does not say which data category it belongs to: "
                'give the field metadata={"category": "…"} with the id of a declared '
                "one"
            )
        if category is not None and not release.covers(category, ".".join(where)):
            continue
        out = key if field.data_key is None else field.data_key
        kept[out] = _kept(nested, release, where) if nested is not None else None
    return kept


def _nested(field: fields.Field[Any], where: tuple[str, ...]) -> Schema | None:
    """The schema inside a field, if its value is made of further fields."""
    if isinstance(field, fields.List):
        return _nested(field.inner, where)
    if isinstance(field, fields.Pluck) or any(
        _nested(inner, where) is not None for inner in _parts(field)
    ):
        raise DeclarationError(
            f"{'.'.join(where)} holds a schema inside a {type(field).__name__}: its "
            "fields cannot be filtered; use Nested or List(Nested)"
        )
    return field.schema if isinstance(field, fields.Nested) else None


def _parts(field: fields.Field[Any]) -> Iterator[fields.Field[Any]]:
    """The fields that a field is made of, where they are not a schema's own."""
    if isinstance(field, fields.Tuple):
        yield from field.tuple_fields
    elif isinstance(field, fields.Mapping):
        yield from (each for each in (field.key_field, field.value_field) if each)


def _prune(value: Any, keep: _Kept) -> Any:
    if isinstance(value, list):
        return [_prune(each, keep) for each in value]
    if value is None:
        return None
    row: Mapping[str, Any] = value
    return {
        key: row[key] if inner is None else _prune(row[key], inner)
        for key, inner in keep.items()
        if key in row
    }
