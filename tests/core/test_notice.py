"""The notice: one digest for the very bytes shown and for all that they asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.core import canonical
from consentkit.core.notice import Notice
from consentkit.core.notice import Offer
from consentkit.errors import DeclarationError
from consentkit.errors import MalformedError
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import registry

HTML = b"<form>I agree that Wallet Ltd shares ...</form>"
SHOWN: dict[str, Any] = {
    "locale": "en",
    "html": HTML,
    "text": "I agree that Wallet Ltd shares ...",
    "template": b"<form>{{ statement }}</form>",
    "assets": {"consentkit.css": b"form { font-size: 1rem }"},
    "controls": ["choice.credit-score.acme-credit"],
    "variant": "card",
}
OTHER_PARTS: dict[str, Any] = {
    "locale": "de",
    "html": HTML + b"\n",
    "text": "I agree that Wallet Ltd shares ..",
    "template": b"<form>{{statement}}</form>",
    "assets": {"consentkit.css": b"form { font-size: 9px }"},
    "controls": ["choice.credit-score.acme-credit", "data.credit-score.acme-credit"],
    "variant": "page",
}


def shown(purpose: Any = SCORE, **parts: Any) -> Notice:
    questions = registry(purposes=[purpose]).questions(purpose.id)
    return Notice.of(questions, **{**SHOWN, **parts})


def test_the_digest_is_the_hash_of_the_canonical_manifest() -> None:
    notice = shown()

    assert notice.manifest_bytes == canonical.encode(dict(notice.manifest))
    assert notice.digest == hashlib.sha256(notice.manifest_bytes).hexdigest()
    assert notice.manifest["html_sha256"] == hashlib.sha256(HTML).hexdigest()
    assert notice.html_sha256 == notice.manifest["html_sha256"]
    assert (notice.locale, notice.html) == ("en", HTML)


def test_the_same_screen_has_the_same_digest_whenever_it_is_made() -> None:
    questions = registry().questions("shop-offers")

    assert shown().digest == shown().digest
    assert (
        Notice.of(questions, **SHOWN).digest
        == Notice.of(reversed(questions), **SHOWN).digest
    )


@pytest.mark.requirement("R38", "R39")
@pytest.mark.parametrize("part", OTHER_PARTS)
def test_every_part_of_what_is_shown_is_in_the_digest(part: str) -> None:
    before, after = shown(), shown(**{part: OTHER_PARTS[part]})

    assert before.digest != after.digest
    assert before.version != after.version


@pytest.mark.requirement("R38")
@given(at=st.integers(0, len(HTML) - 1), bit=st.integers(0, 7))
def test_one_bit_of_the_text_changes_the_digest_and_is_found(at: int, bit: int) -> None:
    other = bytearray(HTML)
    other[at] ^= 1 << bit
    notice = shown()

    assert shown(html=bytes(other)).digest != notice.digest
    with pytest.raises(MalformedError, match="not the one its manifest names"):
        Notice.from_bytes(notice.manifest_bytes, bytes(other))


@pytest.mark.requirement("R87", "R113")
@pytest.mark.parametrize(
    "changes",
    [
        {"retention": "P2Y"},
        {"valid_for": timedelta(days=30)},
        {"data": SCORE.data[:1]},
        {"operations": ["share", "use"]},
        {"iri": ""},
    ],
    ids=str,
)
def test_what_is_asked_is_in_the_digest_even_if_the_screen_were_the_same(
    changes: dict[str, Any],
) -> None:
    assert shown().digest != shown(replace(SCORE, **changes)).digest


def test_a_notice_reads_back_from_its_bytes() -> None:
    notice = shown()

    again = Notice.from_bytes(notice.manifest_bytes, notice.html)

    assert again == notice
    assert again.digest == notice.digest
    assert again.offers == notice.offers


@pytest.mark.requirement("R16")
def test_every_control_of_a_notice_begins_as_off() -> None:
    notice = shown(controls=["b", "a"])

    assert notice.manifest["controls"] == [
        {"initial": "off", "name": "a"},
        {"initial": "off", "name": "b"},
    ]


def test_a_notice_that_asks_nothing_is_none() -> None:
    with pytest.raises(DeclarationError) as caught:
        Notice.of([], **SHOWN)

    assert str(caught.value) == "a notice must ask at least one question"


MANIFEST = dict(shown().manifest)
NO_MANIFESTS = {
    "nothing": b"",
    "an array": b"[]",
    "another spelling": shown().manifest_bytes + b"\n",
    "an empty object": b"{}",
    **{
        f"without {name}": canonical.encode(
            {key: MANIFEST[key] for key in MANIFEST if key != name}
        )
        for name in MANIFEST
    },
}


@pytest.mark.parametrize("name", NO_MANIFESTS)
def test_a_manifest_that_is_not_whole_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        Notice.from_bytes(NO_MANIFESTS[name], HTML)


def test_a_notice_offers_each_of_its_questions_and_no_more() -> None:
    notice = shown(OFFERS)

    assert list(notice.offers) == [
        ("shop-offers", "controller"),
        ("shop-offers", "corner-shops"),
    ]
    question = registry().question("shop-offers", "corner-shops")
    assert question is not None
    assert notice.offers["shop-offers", "corner-shops"] == Offer.of(question)


SCORE_OFFER = shown().offers["credit-score", "acme-credit"]


@pytest.mark.requirement("R64")
def test_an_answer_covers_what_is_needed_and_at_most_what_was_offered() -> None:
    assert (SCORE_OFFER.data, SCORE_OFFER.optional) == (("city", "spending"), ("city",))
    for data, allowed in [
        (["spending"], True),
        (["city", "spending"], True),
        (["city"], False),
        ([], False),
        (["contacts", "spending"], False),
        (["city", "contacts", "spending"], False),
    ]:
        assert SCORE_OFFER.allows(data) is allowed


def test_an_offer_reads_back_from_its_dict() -> None:
    assert Offer.from_dict(SCORE_OFFER.to_dict()) == SCORE_OFFER


OFFERED = SCORE_OFFER.to_dict()
NO_OFFERS: dict[str, Any] = {
    "nothing": {},
    "a text": "credit-score",
    "a field missing": {key: OFFERED[key] for key in OFFERED if key != "optional"},
    "a field too many": OFFERED | {"checked": True},
    "a purpose that is a number": OFFERED | {"purpose": 5},
    "a scope that is nothing": OFFERED | {"scope": None},
    "data that is one text": OFFERED | {"data": "spending"},
    "data of numbers": OFFERED | {"data": [5]},
    "optional data that is a mapping": OFFERED | {"optional": {"city": True}},
}


@pytest.mark.parametrize("name", NO_OFFERS)
def test_an_offer_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="offer must"):
        Offer.from_dict(NO_OFFERS[name])


@pytest.mark.requirement("R41")
def test_each_answer_holds_as_long_as_its_purpose_says() -> None:
    day = 86_400_000

    assert shown().validity(("credit-score", "acme-credit")) == 365 * day
    assert shown(OFFERS).validity(("shop-offers", "controller")) == 180 * day
    with pytest.raises(MalformedError, match="does not ask about that purpose"):
        shown().validity(("credit-score", "corner-shops"))


@pytest.mark.requirement("R41")
def test_a_purpose_without_an_end_gives_an_answer_no_time_at_all() -> None:
    endless = replace(SCORE, valid_for=None)

    assert shown(endless).validity(("credit-score", "acme-credit")) == 0


def damaged(**definition: Any) -> Mapping[str, Any]:
    return {**MANIFEST, "purposes": [{"id": "credit-score", "definition": definition}]}


@pytest.mark.parametrize(
    "manifest",
    [
        damaged(),
        damaged(recipient="acme-credit"),
        damaged(recipient={"id": "acme-credit"}),
        damaged(recipient={"id": "acme-credit"}, valid_for="a year"),
        {**MANIFEST, "purposes": 5},
    ],
    ids=["nothing", "recipient by name", "no validity", "words", "no list"],
)
def test_a_manifest_that_does_not_define_its_purposes_gives_no_validity(
    manifest: Mapping[str, Any],
) -> None:
    with pytest.raises(MalformedError, match="must define each of its purposes"):
        Notice(manifest, HTML).validity(("credit-score", "acme-credit"))


@pytest.mark.parametrize("offers", [5, True, "all", {"a": 1}], ids=repr)
def test_a_manifest_whose_offers_are_no_list_offers_nothing(offers: Any) -> None:
    with pytest.raises(MalformedError) as caught:
        _ = Notice({**MANIFEST, "offers": offers}, HTML).offers

    assert str(caught.value) == "the offers of a notice must be a list"


def test_the_manifest_says_in_words_of_the_standard_what_was_shown() -> None:
    question = registry(purposes=[SCORE]).question("credit-score", "acme-credit")
    assert question is not None
    manifest = dict(shown().manifest)
    version = manifest.pop("version")

    assert manifest == {
        "assets": [
            {
                "path": "consentkit.css",
                "sha256": hashlib.sha256(b"form { font-size: 1rem }").hexdigest(),
            }
        ],
        "controller": "wallet",
        "controls": [{"initial": "off", "name": "choice.credit-score.acme-credit"}],
        "html_sha256": hashlib.sha256(HTML).hexdigest(),
        "id": "credit-score",
        "locale": "en",
        "offers": [
            {
                "data": ["city", "spending"],
                "optional": ["city"],
                "purpose": "credit-score",
                "recipient": "acme-credit",
                "scope": question.scope,
            }
        ],
        "purposes": [
            {
                "definition": question.definition(),
                "id": "credit-score",
                "sha256": canonical.digest(question.definition()),
            }
        ],
        "template_sha256": hashlib.sha256(b"<form>{{ statement }}</form>").hexdigest(),
        "text_sha256": hashlib.sha256(SHOWN["text"].encode()).hexdigest(),
        "variant": "card",
    }
    assert version == canonical.digest(manifest)[:12]


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "no object": (
        lambda: Notice.from_bytes(b"[]", HTML),
        "a notice manifest must be a JSON object",
    ),
    "two elements missing": (
        lambda: Notice.from_bytes(canonical.encode({**MANIFEST_OF_TEN}), HTML),
        "a notice manifest must have assets, controller",
    ),
    "another text": (
        lambda: Notice(MANIFEST, HTML + b" "),
        "the notice's text is not the one its manifest names",
    ),
    "offer without a field": (
        lambda: Offer.from_dict({}),
        "an offer must have data, optional, purpose, recipient and scope",
    ),
    "offer of numbers": (
        lambda: Offer.from_dict({**OFFERED, "data": [5]}),
        "an offer must hold text and lists of text",
    ),
    "purposes without definition": (
        lambda: Notice(damaged(), HTML).validity(("credit-score", "acme-credit")),
        "a notice manifest must define each of its purposes",
    ),
    "question that is not asked": (
        lambda: shown().validity(("credit-score", "corner-shops")),
        "the notice does not ask about that purpose and recipient",
    ),
}
MANIFEST_OF_TEN = {
    name: MANIFEST[name] for name in MANIFEST if name not in {"assets", "controller"}
}


@pytest.mark.parametrize("name", SAID)
def test_a_refused_notice_is_told_what_a_notice_holds(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message


@pytest.mark.requirement("R33")
def test_two_stages_stand_in_the_notice_and_in_no_other_notice() -> None:
    plain, twice = shown(), shown(replace(SCORE, two_stage=True))
    key = ("credit-score", "acme-credit")

    assert twice.is_two_stage(key)
    assert not plain.is_two_stage(key)
    assert not twice.is_two_stage(("credit-score", "corner-shops"))
    assert twice.digest != plain.digest
    assert twice.offers == plain.offers  # nothing that a grant rests on
    assert b"two_stage" not in plain.manifest_bytes
