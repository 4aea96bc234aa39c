"""Texts for people: which locale is read, and what is no text at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import cast

import pytest

from consentkit.core.text import check_country
from consentkit.core.text import check_curie
from consentkit.core.text import check_id
from consentkit.core.text import freeze_text
from consentkit.core.text import locales_of
from consentkit.core.text import localise
from consentkit.errors import DeclarationError

CITY = {"en": "city", "de": "Stadt", "de-AT": "Stadt in Österreich", "zh-Hans": "城市"}

LOOKED_UP = {
    "de-AT": "Stadt in Österreich",
    "de-CH": "Stadt",
    "de": "Stadt",
    "zh-Hans-SG": "城市",
    "zh-Hans": "城市",
    "zh": "city",
    "fr-FR": "city",
    "": "city",
}


@pytest.mark.requirement("R113")
@pytest.mark.parametrize("locale", LOOKED_UP)
def test_a_text_is_read_in_the_nearest_locale(locale: str) -> None:
    assert localise(CITY, locale) == LOOKED_UP[locale]


def test_without_english_the_first_language_stands_in() -> None:
    assert localise({"ar": "مدينة", "de": "Stadt"}, "fr") == "مدينة"


def test_a_plain_text_is_the_same_in_every_locale() -> None:
    assert localise("city", "de") == "city"
    assert locales_of("city") is None
    assert locales_of(CITY) == frozenset({"en", "de", "de-AT", "zh-Hans"})


def test_a_localised_text_does_not_change_with_the_mapping_it_was_made_of() -> None:
    source = {"en": "city"}
    frozen = freeze_text("data category 'city'", "title", source)
    source["en"] = "another"

    assert frozen == {"en": "city"}
    assert isinstance(frozen, Mapping)
    with pytest.raises(TypeError):
        frozen["en"] = "another"  # type: ignore[index]  # that it fails is the point


NO_TEXTS: dict[str, Any] = {
    "number": 5,
    "bytes": b"city",
    "nothing": None,
    "list": ["city"],
    "empty mapping": {},
    "number in a mapping": {"en": 5},
    "locale that is no text": {5: "city"},
    "locale with an underscore": {"zh_Hans": "城市"},
    "locale that is a word": {"english": "city"},
    "locale with a newline": {"en\n": "city"},
    "control character": "city\x00",
    "carriage return": "city\r\n",
    "line separator": "city\u2028",
    "control character in a mapping": {"en": "city", "de": "Stadt\x1b[0m"},
    "4,001 characters": "a" * 4_001,
}


@pytest.mark.parametrize("name", NO_TEXTS)
def test_what_is_no_text_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(DeclarationError, match=r"^purpose 'score': title"):
        freeze_text("purpose 'score'", "title", NO_TEXTS[name])


def test_a_text_in_no_locale_at_all_says_nothing() -> None:
    assert localise({}, "en") == ""


@pytest.mark.parametrize("text", ["", "a" * 4_000, "two\nlines\tand a tab", "نص"])
def test_what_is_a_text_is_kept_as_it_is(text: str) -> None:
    assert freeze_text("purpose 'score'", "title", text) == text


NO_IDS: dict[str, Any] = {
    "empty": "",
    "capital": "Score",
    "underscore": "credit_score",
    "space": "credit score",
    "leading hyphen": "-score",
    "reserved suffix": "score.cross-border",
    "wildcard": "*",
    "65 characters": "a" * 65,
    "final newline": "score\n",
    "look-alike letter": "sсore",  # noqa: RUF001  the Cyrillic letter is the case
    "foreign digit": "score٣",
    "number": 5,
    "nothing": None,
}


@pytest.mark.requirement("R69")
@pytest.mark.parametrize("name", NO_IDS)
def test_what_is_no_id_is_refused_with_what_it_should_name(name: str) -> None:
    with pytest.raises(DeclarationError, match=r"^a purpose needs an id of a-z"):
        check_id("purpose", NO_IDS[name])


@pytest.mark.parametrize("value", ["a", "9", "a-", "a" * 64])
def test_an_id_has_1_to_64_plain_characters(value: str) -> None:
    check_id("purpose", value)


@pytest.mark.parametrize("value", ["gb", "GBR", "G", "UK\n", "GB ", "É1"])
def test_a_country_is_two_capital_letters(value: str) -> None:
    check_country("recipient 'a'", "GB")
    with pytest.raises(DeclarationError, match="two capital letters"):
        check_country("recipient 'a'", value)


@pytest.mark.requirement("R42")
@pytest.mark.parametrize("value", ["City", "pd:", "pd: City", "https://w3id.org/dpv"])
def test_an_iri_is_a_curie(value: str) -> None:
    check_curie("data category 'city'", "pd:City")
    with pytest.raises(DeclarationError, match="must be a DPV CURIE"):
        check_curie("data category 'city'", value)


@pytest.mark.parametrize("check", [check_country, check_curie])
def test_a_code_that_is_no_text_is_refused(check: Any) -> None:
    with pytest.raises(DeclarationError, match="must be text, got int"):
        check("recipient 'a'", 5)


def test_a_refused_text_is_told_what_a_text_is() -> None:
    with pytest.raises(DeclarationError) as too_long:
        freeze_text("purpose 'a'", "title", "x" * 4_001)
    with pytest.raises(DeclarationError) as number:
        freeze_text("purpose 'a'", "title", cast("str", 5))

    assert str(too_long.value) == (
        "purpose 'a': title must be at most 4000 characters without control characters"
    )
    assert str(number.value) == (
        "purpose 'a': title must be text or a mapping of locale to text, got int"
    )
