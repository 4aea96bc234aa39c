"""Each picture that a page of the docs names is there, is light, and is taken again."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.screenshots import IMAGES
from tests.docs.screenshots import LARGEST
from tests.docs.screenshots import SHOTS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def pictures() -> list[tuple[Path, str, Path]]:
    """Page, words for who cannot see it, and file of each picture."""
    return [
        (page, words, (page.parent / path).resolve())
        for page in PAGES
        for words, path in _PICTURE.findall(page.read_text("utf-8"))
    ]


def test_every_picture_that_a_page_names_is_there_and_every_other_way_round() -> None:
    named = {file for _, _, file in pictures()}

    assert named == set(IMAGES.iterdir())
    assert {each.stem for each in named} == {shot.name for shot in SHOTS}


def test_every_picture_is_told_in_words() -> None:
    for page, words, file in pictures():
        assert words, f"{page.name}: {file.name}"


def test_every_picture_is_light() -> None:
    for file in IMAGES.iterdir():
        data = file.read_bytes()
        assert data.startswith(_SIGNATURE)
        assert len(data) <= LARGEST, file.name
