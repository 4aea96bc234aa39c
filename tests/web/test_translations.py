"""Every message of the code and the templates is there in every language, and whole."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2 import nodes

import consentkit.web

Message = tuple[str, ...]

WEB = Path(consentkit.web.__file__).parent
CATALOGUES = {
    path.parents[1].name: path
    for path in sorted(WEB.glob("translations/*/LC_MESSAGES/consentkit.po"))
}
# Called with a message: how many of the first arguments are forms of it.
CODE = {"text": 1, "plain": 1, "mark": 1, "plural": 2}
TEMPLATES = {"t": 1, "tn": 2}
PLACEHOLDER = re.compile(r"\{(\w+)\}")
SAME_WORDS: dict[str, set[str | Message]] = {
    "fr": {"Version"},
    "hi": {"“{title}”"},
    "zh_Hans": {"“{title}”"},
}
LONGEST_SENTENCE = 20  # words, SCREENS
VAGUE = ("may", "such as", "partners", "third parties", "affiliates", "experience")


def _in_code(path: Path) -> Iterator[Message]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            yield from _constants(node.args, CODE.get(name, 0))
        if isinstance(node, ast.Tuple) and len(node.elts) == CODE["plural"]:
            # The units of a duration are pairs of forms, counted later.
            yield from (m for m in _constants(node.elts, 2) if "{count}" in m[0])


def _constants(arguments: list[ast.expr], forms: int) -> Iterator[Message]:
    values = [each.value for each in arguments if isinstance(each, ast.Constant)]
    if forms and len(values) >= forms and all(isinstance(v, str) for v in values):
        yield tuple(str(value) for value in values[:forms])


def _in_template(path: Path) -> Iterator[Message]:
    for call in (
        Environment(autoescape=True).parse(path.read_text()).find_all(nodes.Call)
    ):
        forms = TEMPLATES.get(getattr(call.node, "name", ""), 0)
        if forms:
            yield tuple(each.as_const() for each in call.args[:forms])


MESSAGES = {
    message for path in sorted(WEB.glob("*.py")) for message in _in_code(path)
} | {
    message
    for path in sorted(WEB.glob("templates/consentkit/*.html"))
    for message in _in_template(path)
}


def _catalogue(name: str) -> Catalog:
    with CATALOGUES[name].open("rb") as source:
        return read_po(source, abort_invalid=True)


def _forms(entry: str | Sequence[str] | None) -> Message:
    return (entry,) if isinstance(entry, str) else tuple(entry or ())


def test_the_messages_are_found() -> None:
    assert ("Your choices",) in MESSAGES
    assert ("A public body.",) in MESSAGES
    assert ("{count} year", "{count} years") in MESSAGES
    assert sorted(CATALOGUES) == ["ar", "de", "es", "fr", "hi", "zh_Hans"]


@pytest.mark.requirement("R114")
@pytest.mark.parametrize("name", CATALOGUES)
def test_no_message_is_missing_and_none_is_left_over(name: str) -> None:
    there = {_forms(entry.id) for entry in _catalogue(name) if entry.id}
    assert MESSAGES - there == set()
    assert there - MESSAGES == set()


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_message_is_translated_in_all_its_plurals(name: str) -> None:
    catalogue = _catalogue(name)
    for entry in catalogue:
        if entry.id:
            forms = _forms(entry.string)
            assert all(form.strip() for form in forms), entry.id
            assert not entry.fuzzy, entry.id
            expected = 1 if isinstance(entry.id, str) else catalogue.num_plurals
            assert len(forms) == expected, entry.id


@pytest.mark.parametrize("name", CATALOGUES)
def test_no_translation_is_the_english_text(name: str) -> None:
    entries = [each for each in _catalogue(name) if each.id]
    same = {each.id for each in entries if each.id == each.string}
    assert same <= SAME_WORDS.get(name, set())


@pytest.mark.parametrize("name", CATALOGUES)
def test_translations_keep_placeholders_and_marks(name: str) -> None:
    for entry in _catalogue(name):
        if not entry.id:
            continue
        original = _forms(entry.id)[-1]
        for form in _forms(entry.string):
            asked = set(PLACEHOLDER.findall(original))
            held = set(PLACEHOLDER.findall(form))
            assert held <= asked, entry.id
            # A plural form may say "one" in place of the number.
            assert asked - held <= {"count"}, entry.id
            for mark in "*[]":
                assert form.count(mark) == original.count(mark), entry.id


@pytest.mark.parametrize("name", CATALOGUES)
def test_no_line_can_break_inside_quotes_or_before_a_colon(name: str) -> None:
    """French sets spaces there; a plain one would leave the mark alone on a line."""
    for entry in _catalogue(name):
        for form in _forms(entry.string if entry.id else ""):
            assert not re.search(r" [:;?!»]|« ", form), entry.id


@pytest.mark.requirement("R12")
def test_our_own_sentences_are_short() -> None:
    for message in MESSAGES:
        for sentence in re.split(r"(?<=[.?!])\s", message[-1]):
            words = [word for word in sentence.split() if re.search(r"\w", word)]
            assert len(words) <= LONGEST_SENTENCE, sentence


@pytest.mark.requirement("R11")
def test_our_own_words_are_not_vague() -> None:
    for message in MESSAGES:
        for word in VAGUE:
            assert not re.search(rf"\b{word}\b", message[-1].lower()), message
