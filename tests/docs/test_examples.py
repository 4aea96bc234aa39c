"""Every Python example in README.md and docs/ runs, each page in one go.

A page's examples build on each other, so a page is one test, and it may be sent to
any process. It runs in a folder of its own: what an example writes stays there.
"""

from __future__ import annotations

import contextvars
from pathlib import Path

import pytest
from sybil import Example
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "```python" in path.read_text("utf-8")
]


@pytest.mark.parametrize("path", PAGES)
def test_the_examples_run(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = Sybil(parsers=[PythonCodeBlockParser()]).parse(ROOT / path)
    monkeypatch.chdir(tmp_path)

    examples = list(document.examples())

    assert examples
    # In a context of its own: an example may push an app context and leave it there.
    contextvars.copy_context().run(evaluate, examples)


def evaluate(examples: list[Example]) -> None:
    for example in examples:
        example.evaluate()
