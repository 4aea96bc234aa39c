"""Schemas by which more might slip out than their fields say: hooks, kinds, keys.

What a field computes is its own: who writes a method that puts spending into a field
of category ``city`` has said that it is no spending, and nobody can know better.
"""

from __future__ import annotations

from typing import Any
from typing import ClassVar

import pytest
from marshmallow import EXCLUDE
from marshmallow import INCLUDE
from marshmallow import Schema
from marshmallow import fields
from marshmallow import post_dump
from marshmallow import pre_dump

from consentkit.errors import DeclarationError
from tests.service.test_release import SHOP
from tests.service.test_release import ShopSchema
from tests.service.test_release import of
from tests.service.test_release import release

ROW = {"city": "Leeds", "amount": 12, "iban": "GB00", "shops": [SHOP, SHOP]}
SECRETS = ("12", "GB00", "Bakery")


class City(Schema):
    city = fields.Str(metadata=of("city"))


class Both(City):
    """A subclass, of whose fields only the inherited one is covered."""

    amount = fields.Int(metadata=of("spending"))


class Chosen(Both):
    class Meta:
        unknown = INCLUDE


class Adds(City):
    @post_dump(pass_original=True)
    def add(self, data: dict[str, Any], row: Any, **_: Any) -> dict[str, Any]:
        return {**data, "raw": row, "iban": row["iban"]}


class AddsBefore(City):
    """A field that is put in while a row is dumped, after all fields were looked at."""

    @pre_dump
    def add(self, row: Any, **_: Any) -> Any:
        late = fields.Str(metadata=of("city"))
        self.fields["iban"] = self.dump_fields["iban"] = late
        late._bind_to_schema("iban", self)
        return row


class Overrides(City):
    def dump(self, obj: Any, **_: Any) -> Any:
        return {"city": obj["city"], "raw": obj}


class Renamed(Schema):
    """Each goes out under the other's name."""

    city = fields.Str(data_key="amount", metadata=of("city"))
    amount = fields.Int(data_key="city", metadata=of("spending"))


class Borrowed(Schema):
    """A field of a covered name whose value is another attribute."""

    city = fields.Str(metadata=of("city"))
    home = fields.Str(attribute="iban", metadata=of("spending"))


class Hidden(Schema):
    city = fields.Str(metadata=of("city"))
    amount = fields.Int(load_only=True, metadata=of("city"))


class Nesting(Schema):
    city = fields.Str(metadata=of("city"))
    shops = fields.List(fields.Nested(ShopSchema(only=["name"])))


class Spending(Schema):
    city = fields.Str(metadata=of("city"))
    all = fields.Method("everything", metadata=of("spending"))
    sum = fields.Function(lambda row: row["amount"], metadata=of("spending"))
    bag = fields.Dict(attribute="shops", metadata=of("spending"))
    fixed = fields.Constant("GB00", metadata=of("spending"))

    def everything(self, row: Any) -> str:
        return str(row)


LEAKY = {
    "a subclass": Both(),
    "with what is unknown": Chosen(unknown=EXCLUDE),
    "a hook that adds": Adds(),
    "a hook that adds a field": AddsBefore(),
    "a dump of its own": Overrides(),
    "without the covered one": Both(exclude=["amount"]),
    "another attribute": Borrowed(),
    "for loading only": Hidden(),
    "nothing covered in a nested one": Nesting(),
    "computed": Spending(),
    "made from a mapping": Schema.from_dict(dict(Both().fields))(),
}


@pytest.mark.requirement("R64", "R67")
@pytest.mark.parametrize("schema", LEAKY.values(), ids=LEAKY)
def test_only_what_the_yes_covers_comes_out(schema: Schema) -> None:
    handed = release("city").only(schema, ROW)

    assert handed == {"city": "Leeds"}
    assert not any(secret in str(handed) for secret in SECRETS)


@pytest.mark.requirement("R64")
def test_the_name_that_a_field_goes_out_under_means_nothing() -> None:
    assert release("city").only(Renamed(), ROW) == {"amount": "Leeds"}
    assert release("spending").only(Renamed(), ROW) == {"city": 12}


class Flattened(ShopSchema):
    @post_dump
    def flatten(self, data: dict[str, Any], **_: Any) -> str:
        return " ".join(data.values())


class Enveloped(ShopSchema):
    @post_dump(pass_collection=True)
    def wrap(self, data: Any, **_: Any) -> dict[str, Any]:
        return {"city": data}


class Deep(Schema):
    shop = fields.Nested(Flattened)


class Listed(City):
    class Meta:
        include: ClassVar = {"iban": fields.Str()}


class Several(Schema):
    city = fields.Str(metadata={"category": ["city", "spending"]})


PUT_TOGETHER = {
    "fields in one string": (Flattened(), SHOP, "Flattened dumps a row as str"),
    "one below": (Deep(), {"shop": SHOP}, r"Deep\.shop dumps a row as str"),
    "an envelope": (Enveloped(many=True), [SHOP], "Enveloped dumps many rows as dict"),
    "fields by inclusion": (Listed(), ROW, "Listed.iban does not say"),
    "two categories": (Several(), ROW, "Several.city .* not declared"),
}


@pytest.mark.requirement("R64", "R67")
@pytest.mark.parametrize(
    ("schema", "rows", "told"), PUT_TOGETHER.values(), ids=PUT_TOGETHER
)
def test_what_cannot_be_told_apart_is_refused(
    schema: Schema, rows: Any, told: str
) -> None:
    with pytest.raises(DeclarationError, match=told) as refused:
        release("city").only(schema, rows)

    assert "Bakery" not in str(refused.value)


def test_two_fields_cannot_share_one_name() -> None:
    """Else the last of them would go out as the first: marshmallow refuses it."""
    with pytest.raises(ValueError, match="collides"):
        Schema.from_dict(
            {
                "city": fields.Str(metadata=of("city")),
                "iban": fields.Str(data_key="city", metadata=of("spending")),
            }
        )()
