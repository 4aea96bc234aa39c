"""Rules of the house that no other tool keeps: words, sizes, names, documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "consentkit"
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in sorted(PACKAGE.rglob("*"))
    if path.suffix in {".py", ".html", ".po", ".mako"}
}
LONGEST_FILE = 400  # past that a file holds a second noun

# What the glossary calls otherwise. A word may occur where the folder is named.
BANNED_WORDS = {
    r"blockchain": "",
    r"audit_hash": "",
    r"opt_out(?!_signal\b)": "",  # `opt_out_signal` is one of the gate's reasons
    r"user_id": "consentkit/web/",
    r"customers?": "",
}
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc"}
CONFIG_KEY = re.compile(r"\bCONSENTKIT_[A-Z0-9_]*[A-Z0-9]\b")


@pytest.mark.parametrize("word", BANNED_WORDS)
def test_a_word_that_the_glossary_replaces_is_not_used(word: str) -> None:
    pattern = re.compile(rf"\b{word}\b", re.IGNORECASE)
    allowed = BANNED_WORDS[word]

    used = [
        f"{path}:{number}: {line.strip()}"
        for path, text in SOURCES.items()
        if not (allowed and path.startswith(allowed))
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]

    assert used == []


def test_no_file_is_longer_than_one_noun_needs() -> None:
    lengths = {path: len(text.splitlines()) for path, text in SOURCES.items()}

    too_long = {
        path: length
        for path, length in lengths.items()
        if path.endswith(".py") and length > LONGEST_FILE
    }

    assert too_long == {}


def test_every_file_is_named_for_what_it_does() -> None:
    assert [p for p in SOURCES if Path(p).stem in NAMES_THAT_SAY_NOTHING] == []


def test_every_configuration_key_is_documented() -> None:
    documented = "".join(
        path.read_text("utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))
    )
    keys = {key for text in SOURCES.values() for key in CONFIG_KEY.findall(text)}

    assert sorted(keys - set(CONFIG_KEY.findall(documented))) == []
