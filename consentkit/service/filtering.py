"""Rows without the fields that are not covered, by what marshmallow schemas say.

Every field names its data category, ``metadata={"category": "…"}``; one that does not
is an error, since nobody could say whether it may leave.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from marshmallow import Schema
from marshmallow import fields

from consentkit.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Filter", "filter_for"]

CATEGORY = "category"
"""The key of a field's metadata under which its data category stands."""

_MAX_DEPTH = 32  # no record that is handed over is nested that deep

_Covers = Callable[[str, str], bool]
_Kept = dict[str, "_Kept | None"]
"""Key of the dumped data -> what is kept within it, None for the whole value."""


@dataclass(frozen=True)
class Filter:
    """A schema, and what of the data that it dumps may leave."""

    schema: Schema
    kept: _Kept

    def dump(self, rows: Any) -> Any:
        """``rows`` dumped by the schema, without what may not leave."""
        where = type(self.schema).__name__
        dumped = self.schema.dump(rows)
        if self.schema.many and not isinstance(dumped, list):
            raise DeclarationError(
                f"{where} dumps many rows as {type(dumped).__name__}: let no hook wrap "
                "them, and put what is released into an envelope afterwards"
            )
        return _prune(dumped, self.kept, where)


def filter_for(schema: Schema, covers: _Covers) -> Filter:
    """The filter of that schema; ``covers`` is asked with category and field.

    Raises:
        DeclarationError: a field names no data category, or hides further fields in a
            way that cannot be filtered.
    """
    return Filter(schema, _kept(schema, covers, (type(schema).__name__,)))


def _kept(schema: Schema, covers: _Covers, path: tuple[str, ...]) -> _Kept:
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
        inner = None if nested is None else _kept(nested, covers, where)
        if category is not None and not covers(category, ".".join(where)):
            continue
        if inner == {}:
            continue  # nor how many there are of what may not leave
        kept[key if field.data_key is None else field.data_key] = inner
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


def _prune(value: Any, keep: _Kept, where: str) -> Any:
    """What is kept of a row, of each of several, or of none.

    Raises:
        DeclarationError: the schema made something else of it, so that nobody can say
            what of it belongs to which field.
    """
    if isinstance(value, list):
        return [_prune(each, keep, where) for each in value]
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise DeclarationError(
            f"{where} dumps a row as {type(value).__name__}, where its fields cannot "
            "be told apart: let no hook or 'dump' of its own put them together"
        )
    return {
        key: value[key]
        if inner is None
        else _prune(value[key], inner, f"{where}.{key}")
        for key, inner in keep.items()
        if key in value
    }
