from __future__ import annotations

from pathlib import Path

import pytest

from consentkit.lint import lexicon
from consentkit.lint.control import Meaning
from consentkit.lint.control import label_meaning
from consentkit.web.locale import Locale
from consentkit.web.locale import available_locales

LABELS = [
    line.split("\t")
    for line in Path(__file__)
    .with_name("decline_labels.tsv")
    .read_text("utf-8")
    .splitlines()
    if line and not line.startswith("#")
]
SHAMING = [label for kind, label in LABELS if kind == "shaming"]
NEUTRAL = [label for kind, label in LABELS if kind == "neutral"]


def shames(label: str) -> bool:
    folded = lexicon.fold(label).strip(" .!")
    return lexicon.has("confirm-shaming", folded) and not lexicon.matches(
        "decline-neutral", folded
    )


@pytest.mark.requirement("D15")
@pytest.mark.requirement("R26")
@pytest.mark.parametrize("label", NEUTRAL)
def test_a_neutral_no_is_never_taken_for_shaming(label: str) -> None:
    assert not shames(label)


@pytest.mark.requirement("D15")
@pytest.mark.requirement("R26")
def test_nine_of_ten_shaming_labels_are_found() -> None:
    missed = [label for label in SHAMING if not shames(label)]

    assert len(missed) <= 0.1 * len(SHAMING), missed


@pytest.mark.parametrize("label", NEUTRAL)
def test_a_neutral_no_is_understood_as_a_no(label: str) -> None:
    assert label_meaning(lexicon.fold(label)) in {Meaning.DECLINE, Meaning.LATER}


TRICKS = {
    "curly quote": "don\u2019t share",
    "soft hyphen": "don't sh\u00adare",
    "zero width space": "don't\u200b share",
    "full width": "\uff44on't share",
    "no-break space": "don't\u00a0share",
    "capitals": "DON'T  SHARE",
}


@pytest.mark.parametrize("text", TRICKS.values(), ids=TRICKS.keys())
def test_spelling_tricks_do_not_hide_a_phrase(text: str) -> None:
    assert lexicon.fold(text) == "don't share"


CLAIMED = {
    "we share it with our partners": "our partners",
    "no fee, but we share it with our partners": "our partners",
    "if you do not object, we share it with partners": "partners",
    "共享给合作伙伴": "合作伙伴",
}
DENIED = [
    "we never share it with our partners",
    "it goes to no partners, affiliates or third parties",
    "nobody else gets it: not our partners",
    "我们不会提供给合作伙伴",
]


@pytest.mark.requirement("D23")
@pytest.mark.parametrize(("sentence", "words"), CLAIMED.items())
def test_what_a_sentence_asserts_is_found(sentence: str, words: str) -> None:
    assert lexicon.claims("umbrella", sentence) == words


@pytest.mark.requirement("D23")
@pytest.mark.parametrize("sentence", DENIED)
def test_what_a_sentence_denies_is_passed_over(sentence: str) -> None:
    assert lexicon.claims("umbrella", sentence) == ""


def test_legal_names_are_found_in_both_languages() -> None:
    text = "Harbour & Sons Ltd, the University of Aldmoor and 示例信用有限公司"

    assert lexicon.parties(text) == (
        "Harbour & Sons Ltd",
        "University of Aldmoor",
        "示例信用有限公司",
    )


def test_words_inside_other_words_do_not_count() -> None:
    assert not lexicon.has("accept", "unacceptable shareholders")
    assert not lexicon.has("non-consent-label", "look")


OURS = {
    "Save my answers": ("neutral-submit", Meaning.OTHER),
    "Ask me later": ("later", Meaning.LATER),
    "Don't share": ("decline-label", Meaning.DECLINE),
    "Don't allow": ("decline-label", Meaning.DECLINE),
    "Yes, share this data": ("accept-label", Meaning.ACCEPT),
}


@pytest.mark.requirement("D12")
@pytest.mark.parametrize("code", available_locales())
@pytest.mark.parametrize("message", OURS)
def test_our_own_labels_are_understood_in_every_language(
    code: str, message: str
) -> None:
    label = lexicon.fold(str(Locale(code).text(message)))
    list_, meaning = OURS[message]

    assert lexicon.matches(list_, label), label
    assert label_meaning(label) is meaning


FOREIGN = {
    "Wir geben Ihre Daten an niemanden weiter, und das ist auch für Sie gut": "de",
    "Nous ne donnons pas vos données, et vous pouvez le lire dans la notice": "fr",
    "Puedes decir que no y tus datos se quedan con la tienda para siempre": "es",
}


@pytest.mark.requirement("D33")
@pytest.mark.parametrize(("text", "tongue"), FOREIGN.items())
def test_another_language_than_the_page_is_told(text: str, tongue: str) -> None:
    assert lexicon.foreign_tongue(lexicon.fold(text), "en") == tongue
    assert lexicon.foreign_tongue(lexicon.fold(text), tongue) == ""
