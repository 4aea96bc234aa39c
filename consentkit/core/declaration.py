"""A registry's parts, read from ``consent.toml`` and checked key by key.

This is the one module of ``core`` that opens a file and the only one that needs
marshmallow; nothing imports it until ``Registry.from_file`` is called
(``docs/adr/0006``). The file has the tables ``[controller]``, ``[data.<id>]``,
``[recipients.<id>]``, ``[purposes.<id>]`` and ``[legal_purposes.<id>]``; a text is a
string or a table of locale to string.
"""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from marshmallow import RAISE
from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow import fields
from marshmallow import validate

from consentkit.core.legal_purpose import LegalPurpose
from consentkit.core.purpose import Purpose
from consentkit.core.text import FALLBACK_LOCALE
from consentkit.core.vocabulary import AutomatedDecision
from consentkit.core.vocabulary import Controller
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Recipient
from consentkit.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from os import PathLike

__all__ = ["read_declaration"]

_MAX_BYTES = 1_048_576  # twenty times what a very large app needs
_LENGTH = re.compile(r"P(?:(\d{1,5})([DW])|T(\d{1,5})H)\Z")


class _Text(fields.Field[Any]):
    """A string, or a table of locale to string."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Any:
        if isinstance(value, str):
            return value
        if isinstance(value, dict) and all(
            isinstance(text, str) for text in value.values()
        ):
            return value
        raise ValidationError("expected text, or a table of locale to text")


class _Validity(fields.Field[timedelta]):
    """How long an answer holds: 'P365D', 'P52W' or 'PT12H'."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> timedelta:
        found = _LENGTH.match(value) if isinstance(value, str) else None
        if not found:
            raise ValidationError(
                "expected days, weeks or hours as an ISO 8601 duration, such as "
                "'P365D' or 'PT12H'"
            )
        number, unit, hours = found.groups()
        if hours is not None:
            return timedelta(hours=int(hours))
        return timedelta(days=int(number) * (7 if unit == "W" else 1))


class _Flag(fields.Field[bool]):
    """True or false, and none of the words that might mean either."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise ValidationError("expected true or false, without quotation marks")


class _Item(fields.Field[Any]):
    """The id of a data category, or a table with id, necessary and if_refused."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Any:
        if isinstance(value, str):
            return {"id": value}
        if isinstance(value, dict):
            return _ItemTable().load(value)
        raise ValidationError("expected the id of a data category, or a table with one")


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _ItemTable(_Strict):
    id = fields.Str(required=True)
    necessary = _Flag()
    if_refused = _Text()


class _Controller(_Strict):
    id = fields.Str(required=True)
    name = fields.Str(required=True)
    contact = fields.Str(required=True)
    address = fields.Str(required=True)
    country = fields.Str(required=True)
    authority = _Text()
    rights = _Text()
    website = fields.Str()


class _Category(_Strict):
    title = _Text(required=True)
    iri = fields.Str()
    sensitive = _Flag()
    special = _Flag()
    phrase = _Text()


class _Recipient(_Strict):
    name = fields.Str(required=True)
    contact = fields.Str(required=True)
    country = fields.Str(required=True)
    relation = fields.Str(required=True)
    agreement = fields.Str()
    role = fields.Str()
    address = fields.Str()
    method = _Text()
    safeguard = _Text()
    rights_url = fields.Str()
    risks = _Text()
    active = _Flag()
    hosts = fields.List(fields.Str())


class _Automated(_Strict):
    logic = _Text(required=True)
    consequence = _Text(required=True)
    human = _Text(required=True)


class _Purpose(_Strict):
    title = _Text(required=True)
    description = _Text(required=True)
    data = fields.List(_Item(), required=True, validate=validate.Length(min=1))
    recipients = fields.List(fields.Str())
    own_use = _Flag()
    valid_for = _Validity()
    retention = fields.Str()
    aim = _Text()
    necessity = _Text()
    impact = _Text()
    if_refused = _Text()
    automated = fields.Nested(_Automated)
    method = _Text()
    operations = fields.List(fields.Str())
    iri = fields.Str()
    opt_out_signal = _Flag()
    two_stage = _Flag()
    joint = _Flag()
    practices = fields.List(fields.Str())
    data_for = fields.Dict(keys=fields.Str(), values=fields.List(fields.Str()))


class _LegalPurpose(_Strict):
    title = _Text(required=True)
    basis = fields.Str(required=True)
    law = fields.Str(required=True)
    data = fields.List(fields.Str(), required=True)
    recipients = fields.List(fields.Str(), required=True)
    iri = fields.Str()


class _File(_Strict):
    locales = fields.List(fields.Str(), load_default=lambda: [FALLBACK_LOCALE])
    controller = fields.Nested(_Controller, required=True)
    data = fields.Dict(
        keys=fields.Str(), values=fields.Nested(_Category), required=True
    )
    recipients = fields.Dict(
        keys=fields.Str(), values=fields.Nested(_Recipient), load_default=dict
    )
    purposes = fields.Dict(
        keys=fields.Str(), values=fields.Nested(_Purpose), required=True
    )
    legal_purposes = fields.Dict(
        keys=fields.Str(), values=fields.Nested(_LegalPurpose), load_default=dict
    )


def read_declaration(path: str | PathLike[str]) -> dict[str, Any]:
    """The arguments for a ``Registry`` that the file at ``path`` declares.

    Raises:
        DeclarationError: the file cannot be read, is not TOML, or a key is unknown,
            missing or of the wrong form. The message names file, key and expectation;
            all faults of the schema are listed at once.
    """
    file = Path(path)
    try:
        declared = _File().load(_parse(file))
    except ValidationError as error:
        messages = error.messages if isinstance(error.messages, dict) else {}
        faults = [f"{key}: {what}" for key, what in _faults(messages)]
        raise DeclarationError(
            f"{file.name} cannot be used:\n  - " + "\n  - ".join(faults),
            missing=faults,
        ) from error
    return _build(file.name, declared)


def _parse(file: Path) -> dict[str, Any]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DeclarationError(
            f"{file.name} cannot be read: {error.strerror}; give the path of a TOML "
            "file with your declarations"
        ) from error
    if len(data) > _MAX_BYTES:
        raise DeclarationError(
            f"{file.name} is larger than {_MAX_BYTES} bytes; declarations of a very "
            "large app are some tens of kilobytes"
        )
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        # not TOMLDecodeError alone: a number may be too long for int, a list too deep
        raise DeclarationError(f"{file.name} is not TOML: {error}") from error


def _faults(messages: Mapping[Any, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Each fault as (dotted key, expectation)."""
    for key, value in messages.items():
        # marshmallow says "value" for the value of a mapping's entry
        here = path if key == "value" else f"{path}.{key}".lstrip(".")
        if isinstance(value, dict):
            yield from _faults(value, here)
        else:
            for message in value:
                yield here, message


def _build(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    make = _Maker(name)
    categories = {
        key: make(f"data.{key}", DataCategory, key, **value)
        for key, value in declared["data"].items()
    }
    recipients = {
        key: make(f"recipients.{key}", Recipient, key, **value)
        for key, value in declared["recipients"].items()
    }
    purposes = [
        make(
            f"purposes.{key}",
            Purpose,
            key,
            **_resolved(make, key, value, categories, recipients),
        )
        for key, value in declared["purposes"].items()
    ]
    legal_purposes = [
        make(
            f"legal_purposes.{key}",
            LegalPurpose,
            key,
            **_looked_up(make, key, value, categories, recipients),
        )
        for key, value in declared["legal_purposes"].items()
    ]
    controller = dict(declared["controller"])
    return {
        "controller": make(
            "controller", Controller, controller.pop("id"), **controller
        ),
        "purposes": purposes,
        "legal_purposes": legal_purposes,
        "locales": tuple(declared["locales"]),
    }


class _Maker:
    """Makes declared values and puts file and key before whatever they refuse."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(
        self, key: str, kind: Callable[..., Any], *args: Any, **kw: Any
    ) -> Any:
        try:
            return kind(*args, **kw)
        except DeclarationError as error:
            raise DeclarationError(f"{self.name}: {key}: {error}") from error

    def look_up(self, key: str, known: Mapping[str, Any], wanted: str) -> Any:
        if wanted not in known:
            raise DeclarationError(
                f"{self.name}: {key}: expected one of {', '.join(sorted(known))}; "
                f"got {wanted!r:.80}"
            )
        return known[wanted]


def _resolved(
    make: _Maker,
    key: str,
    value: Mapping[str, Any],
    categories: Mapping[str, DataCategory],
    recipients: Mapping[str, Recipient],
) -> dict[str, Any]:
    """The table of one purpose with ids replaced by what they name."""
    where = f"purposes.{key}"
    purpose = dict(value)
    purpose["data"] = [
        make(
            f"{where}.data",
            DataItem,
            make.look_up(f"{where}.data", categories, item["id"]),
            **{name: each for name, each in item.items() if name != "id"},
        )
        for item in value["data"]
    ]
    purpose["recipients"] = [
        make.look_up(f"{where}.recipients", recipients, each)
        for each in value.get("recipients", ())
    ]
    if "automated" in value:
        purpose["automated"] = make(
            f"{where}.automated", AutomatedDecision, **value["automated"]
        )
    return purpose


def _looked_up(
    make: _Maker,
    key: str,
    value: Mapping[str, Any],
    categories: Mapping[str, DataCategory],
    recipients: Mapping[str, Recipient],
) -> dict[str, Any]:
    """The table of one legal purpose with ids replaced by what they name."""
    where = f"legal_purposes.{key}"
    known = {"data": categories, "recipients": recipients}
    return {
        **value,
        **{
            name: [make.look_up(f"{where}.{name}", among, each) for each in value[name]]
            for name, among in known.items()
        },
    }
