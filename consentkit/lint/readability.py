"""How hard a text is to read, by the measures the rules name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.lint import lexicon

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.lint.passages import Passage

__all__ = ["difficulty", "grade"]

_HIGHEST_GRADE = 9.0
# Articles and pronouns that English leaves out make French and Spanish longer.
_MOST_WORDS = {"en": 20.0, "": 20.0, "de": 20.0, "fr": 25.0, "es": 25.0}
_MOST_SIGNS = 40.0
_MOST_JARGON = 0.02
_MOST_TERMS = 2
# One sentence this much over the mean is not made good by short ones around it.
_FAR_TOO_LONG = 2.0
# Headings, labels and dates are no sentences; measures of them mean nothing.
_FEWEST_WORDS = 5
_FEWEST_SENTENCES = 2
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿŒœ][A-Za-zÀ-ÖØ-öø-ÿŒœ'-]*")
_HAN = re.compile(r"[\u3400-\u9fff]")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^laeiouy]es|[^aeiouytd]ed|[^laeiouy]e)$")


def difficulty(passages: Iterable[Passage], *, language: str) -> str:
    """Say in what way the text is too hard, or ``""``.

    English is measured by sentence length and the Flesch-Kincaid grade, German, French
    and Spanish by sentence length alone, Chinese by signs to a sentence. Names count
    as one easy word: nobody can choose them.
    """
    sentences = [s for passage in passages for s in passage.sentences()]
    latin = [words for s in sentences if len(words := _words(s)) >= _FEWEST_WORDS]
    if len(latin) >= _FEWEST_SENTENCES and language in _MOST_WORDS:
        return (
            _long(latin, language)
            or (_high_grade(latin) if language in {"", "en"} else "")
            or _jargon(latin)
        )
    chinese = [n for s in sentences if (n := len(_HAN.findall(s))) >= _FEWEST_WORDS]
    if len(chinese) < _FEWEST_SENTENCES:
        return ""
    if max(chinese) > _FAR_TOO_LONG * _MOST_SIGNS:
        return f"one sentence of {max(chinese)} signs"
    if sum(chinese) > _MOST_SIGNS * len(chinese):
        return f"{sum(chinese) / len(chinese):.0f} signs to a sentence"
    terms = sum(lexicon.count("jargon", lexicon.fold(s)) for s in sentences)
    return f"{terms} legal terms" if terms > _MOST_TERMS else ""


def grade(text: str) -> float:
    """Return the Flesch-Kincaid grade of an English text, 0 without words."""
    sentences = [w for s in re.split(r"[.!?]\s+", text) if (w := _words(s))]
    return _grade(sentences) if sentences else 0.0


def _long(sentences: list[list[str]], language: str) -> str:
    mean = sum(len(sentence) for sentence in sentences) / len(sentences)
    most = _MOST_WORDS[language]
    longest = max(len(sentence) for sentence in sentences)
    if longest > _FAR_TOO_LONG * most:
        return f"one sentence of {longest} words; {most:.0f} can be followed"
    if mean <= most:
        return ""
    return f"{mean:.0f} words to a sentence; {most:.0f} can be followed"


def _high_grade(sentences: list[list[str]]) -> str:
    level = _grade(sentences)
    if level <= _HIGHEST_GRADE:
        return ""
    return f"reading grade {level:.1f}; {_HIGHEST_GRADE:.0f} is what most can follow"


def _jargon(sentences: list[list[str]]) -> str:
    words = [word for sentence in sentences for word in sentence]
    jargon = lexicon.count("jargon", lexicon.fold(" ".join(words)))
    if jargon > _MOST_JARGON * len(words):
        return f"{jargon} words of jargon in {len(words)}"
    return ""


def _grade(sentences: list[list[str]]) -> float:
    """Kincaid and others 1975: 0.39 words/sentence + 11.8 syllables/word - 15.59."""
    words = [word for sentence in sentences for word in sentence]
    syllables = sum(_syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def _words(sentence: str) -> list[str]:
    text = lexicon.clean(sentence)
    for name in lexicon.parties(text):
        text = text.replace(name, "Firm")
    return _WORD.findall(text)


def _syllables(word: str) -> int:
    lower = word.lower()
    groups = len(_VOWELS.findall(lower))
    return max(1, groups - (1 if _SILENT.search(lower) and groups > 1 else 0))
