"""What a yes hands over is what was agreed to, and never a field more."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextlib import nullcontext
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from typing import TYPE_CHECKING
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema
from marshmallow import fields

from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.registry import Registry
from consentkit.errors import ConsentDeniedError
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError
from consentkit.service.release import Release
from consentkit.service.release import Terms
from tests.declared import registry

if TYPE_CHECKING:
    from collections.abc import Iterator


def of(category: str) -> dict[str, str]:
    """The metadata of a field of that category."""
    return {"category": category}


class ShopSchema(Schema):
    name = fields.Str(metadata=of("spending"))
    city = fields.Str(metadata=of("city"))


class PaymentSchema(Schema):
    amount = fields.Int(metadata=of("spending"))
    day = fields.Date(data_key="paid-on", metadata=of("spending"))
    home = fields.Str(data_key="homeTown", metadata=of("city"))
    shop = fields.Nested(ShopSchema)
    others = fields.List(fields.Nested(ShopSchema))
    visited = fields.Nested(ShopSchema, many=True, metadata=of("city"))


SHOP = {"name": "Bakery", "city": "Leeds"}
PAYMENT = {
    "amount": 12,
    "day": date(2026, 1, 3),
    "home": "York",
    "shop": SHOP,
    "others": [SHOP, SHOP],
    "visited": [SHOP],
    "iban": "GB00",
}


@dataclass
class Gate:
    """Gives these answers, the last one for ever."""

    answers: list[Decision]
    registry: Registry = field(default_factory=registry)
    proven: str = "what shows it"

    def ask_again(self) -> Decision:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def held(self) -> AbstractContextManager[None]:
        return nullcontext()

    def prove(self, body: bytes | None) -> str:
        return f"{self.proven} {body!r}"


def yes(*data: str, record: str = "r1") -> Decision:
    return Decision(Reason.GRANTED, "p", "r", data=frozenset(data), record=record)


def granted(*answers: Decision, sends: int = 1, lifetime: float = 60.0) -> Release:
    """A release on the first answer, of a gate that gives the rest when asked again."""
    return Release(
        answers[0],
        disclosure="0" * 32,
        gate=Gate(list(answers[1:] or answers)),
        terms=Terms(sends, lifetime),
    )


def release(*data: str) -> Release:
    return granted(yes(*data))


@pytest.mark.requirement("R68")
def test_what_was_stopped_within_the_block_is_not_handed_over() -> None:
    first = yes("spending")
    held = granted(first, first, Decision(Reason.WITHDRAWN, "p", "r"))
    schema = Schema.from_dict({"name": fields.Str(metadata=of("spending"))})()

    assert held.only(schema, SHOP) == {"name": "Bakery"}
    with pytest.raises(ConsentDeniedError) as refused:
        held.only(schema, SHOP)

    assert refused.value.decision.reason is Reason.WITHDRAWN


@pytest.mark.requirement("R68")
def test_a_release_ends_with_its_block() -> None:
    held = release("spending")
    held.end()

    with pytest.raises(InvalidRequestError, match="ends with its block"):
        held.only(PaymentSchema(), PAYMENT)


def test_a_field_of_a_category_nobody_declared_is_an_error_and_not_left_out() -> None:
    schema = Schema.from_dict({"amount": fields.Int(metadata=of("spendin"))})()

    with pytest.raises(DeclarationError, match=r"amount .* not declared: 'spendin'"):
        release("spending").only(schema, PAYMENT)


@pytest.mark.requirement("R67")
def test_fields_of_other_categories_stay_here() -> None:
    assert release("spending").only(PaymentSchema(), PAYMENT) == {
        "amount": 12,
        "paid-on": "2026-01-03",
        "shop": {"name": "Bakery"},
        "others": [{"name": "Bakery"}, {"name": "Bakery"}],
    }
    assert release("city").only(PaymentSchema(), PAYMENT) == {
        "homeTown": "York",
        "shop": {"city": "Leeds"},
        "others": [{"city": "Leeds"}, {"city": "Leeds"}],
        "visited": [{"city": "Leeds"}],
    }


def test_all_that_is_covered_goes_and_nothing_undeclared() -> None:
    handed = release("spending", "city").only(PaymentSchema(), PAYMENT)
    assert handed == PaymentSchema().dump(PAYMENT)
    assert "iban" not in handed


def test_many_rows_are_filtered_one_by_one() -> None:
    rows = release("city").only(PaymentSchema(many=True, only=["home"]), [PAYMENT] * 3)
    assert rows == [{"homeTown": "York"}] * 3
    assert release("city").only(PaymentSchema(many=True), []) == []


def test_a_yes_to_nothing_hands_over_nothing() -> None:
    """Not even how many shops there were."""
    assert release().only(PaymentSchema(), PAYMENT) == {}
    assert release("messages").only(PaymentSchema(), PAYMENT) == {}


def test_values_that_are_not_there_are_no_reason_to_stumble() -> None:
    nothing = {"shop": None, "others": None, "visited": None, "day": None}
    assert release("spending", "city").only(PaymentSchema(), nothing) == {
        "paid-on": None,
        "shop": None,
        "others": None,
        "visited": None,
    }
    assert release("spending").only(PaymentSchema(), {}) == {}


class Swapped(Schema):
    """A key that is empty, and another field that calls itself by the first's name."""

    harmless = fields.Str(data_key="", metadata=of("city"))
    secret = fields.Str(data_key="harmless", metadata=of("spending"))


def test_a_key_is_never_taken_for_another_fields() -> None:
    handed = release("city").only(Swapped(), {"harmless": "Leeds", "secret": "12 GBP"})
    assert handed == {"": "Leeds"}


class Untagged(Schema):
    amount = fields.Int(metadata=of("spending"))
    iban = fields.Str()


class Deeper(Schema):
    account = fields.Nested(Untagged, metadata=of("spending"))


class Listed(Schema):
    ibans = fields.List(fields.Str(metadata=of("spending")))


class Computed(Schema):
    total = fields.Method("get_total")

    def get_total(self, _row: object) -> int:
        return 1


class InDict(Schema):
    shops = fields.Dict(values=fields.Nested(ShopSchema), metadata=of("spending"))


class InTuple(Schema):
    pair = fields.Tuple(
        (fields.Str(), fields.List(fields.Nested(ShopSchema))), metadata=of("spending")
    )


class Plucked(Schema):
    towns = fields.Pluck(ShopSchema, "city", many=True, metadata=of("spending"))


class Family(Schema):
    name = fields.Str(metadata=of("spending"))
    children = fields.List(fields.Nested(lambda: Family()))  # noqa: PLW0108  not there yet


REFUSED = {
    "a field without a category": (Untagged, "Untagged.iban"),
    "one below a covered field": (Deeper, "Deeper.account.iban"),
    "one below an uncovered field": (Deeper, "Deeper.account.iban"),
    "a list whose items alone have one": (Listed, "Listed.ibans"),
    "a computed field": (Computed, "Computed.total"),
    "a schema in a mapping": (InDict, "InDict.shops"),
    "a schema in a tuple": (InTuple, "InTuple.pair"),
    "a plucked field": (Plucked, "Plucked.towns"),
    "a schema within itself": (Family, "Family"),
}


@pytest.mark.parametrize(("schema", "where"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("rows", [{}, None])
def test_a_schema_that_does_not_say_what_its_fields_are_hands_over_nothing(
    schema: type[Schema], where: str, rows: Any
) -> None:
    """Whatever the rows: the error must not wait for the day they hold something."""
    with pytest.raises(DeclarationError, match=where):
        release("spending", "city").only(schema(), rows)


class Person(Schema):
    """Refers to itself, but ends: the inner one has only a name."""

    name = fields.Str(metadata=of("city"))
    friends = fields.Nested(lambda: Person(only=["name"]), many=True)


def test_a_schema_that_refers_to_itself_and_ends_is_fine() -> None:
    anna = {"name": "Anna", "friends": [{"name": "Bea", "friends": []}]}
    assert release("city").only(Person(), anna) == {
        "name": "Anna",
        "friends": [{"name": "Bea"}],
    }


# Any schema, any answer: each value says which categories stand over it.

CATEGORIES = ("spending", "city", "messages")
Tree = dict[str, Any]


def trees() -> st.SearchStrategy[Tree]:
    """Schemas as trees: a name leads to (category or None, key, kind, subtree)."""
    names = st.sampled_from("abcd")
    category = st.sampled_from(CATEGORIES)
    keys = st.sampled_from([None, "w", "x", "y", "z"])
    value = st.tuples(category, keys, st.just("value"), st.none())
    return st.recursive(
        st.dictionaries(names, value, min_size=1, max_size=3),
        lambda inner: st.dictionaries(
            names,
            value
            | st.tuples(
                st.none() | category,
                keys,
                st.sampled_from(["nested", "many", "list", "list of lists"]),
                inner,
            ),
            min_size=1,
            max_size=3,
        ),
        max_leaves=8,
    ).filter(_has_distinct_keys)


def _has_distinct_keys(tree: Tree) -> bool:
    keys = [key or name for name, (_, key, _, _) in tree.items()]
    return len(set(keys)) == len(keys) and all(
        inner is None or _has_distinct_keys(inner) for *_, inner in tree.values()
    )


def schema_of(tree: Tree) -> type[Schema]:
    return Schema.from_dict({name: field_of(*each) for name, each in tree.items()})


def field_of(
    category: str | None, key: str | None, kind: str, inner: Tree | None
) -> fields.Field[Any]:
    options: dict[str, Any] = {"data_key": key}
    if category is not None:
        options["metadata"] = of(category)
    if inner is None:
        return fields.Raw(**options)
    schema = schema_of(inner)
    if kind == "nested":
        return fields.Nested(schema, **options)
    if kind == "many":
        return fields.Nested(schema, many=True, **options)
    items: fields.Field[Any] = fields.Nested(schema)
    if kind == "list of lists":
        items = fields.List(items)
    return fields.List(items, **options)


def row_of(tree: Tree, over: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A row for the schema; each value is the set of categories that stand over it."""
    row: dict[str, Any] = {}
    for name, (category, _, kind, inner) in tree.items():
        here = over | ({category} if category else set())
        if inner is None:
            row[name] = here
            continue
        one = row_of(inner, here)
        many: Any = {"nested": one, "list of lists": [[one], [one, one]]}
        row[name] = many.get(kind, [one, one])
    return row


def values(dumped: Any) -> Iterator[frozenset[str]]:
    """Every value in what was dumped."""
    if isinstance(dumped, frozenset):
        yield dumped
    elif isinstance(dumped, dict):
        for each in dumped.values():
            yield from values(each)
    else:
        for each in dumped:
            yield from values(each)


@pytest.mark.requirement("R64")
@given(tree=trees(), agreed=st.sets(st.sampled_from(CATEGORIES)))
def test_what_is_released_is_exactly_what_the_yes_covers(
    tree: Tree, agreed: set[str]
) -> None:
    schema = schema_of(tree)(many=True)
    rows = [row_of(tree)] * 2
    released = list(values(release(*agreed).only(schema, rows)))
    assert released == [each for each in values(schema.dump(rows)) if each <= agreed]
