from __future__ import annotations

import re
from collections.abc import Iterator

from consentkit import errors

ERRORS = [name for name in errors.__all__ if isinstance(getattr(errors, name), type)]
BRANCH = re.compile(r"(?P<indent>[ │├└─]*)(?P<name>\w+Error)\b")


def drawn_tree() -> Iterator[tuple[str, str | None]]:
    """Each error of the tree in the docstring, with the one it hangs on."""
    ancestors: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = BRANCH.match(line)
        if match is None:
            continue
        depth = len(match["indent"]) // 4 - 1  # the drawing itself is indented by four
        del ancestors[depth:]
        yield match["name"], ancestors[-1] if ancestors else None
        ancestors.append(match["name"])


def test_the_tree_of_errors_is_the_one_that_is_drawn() -> None:
    real = {
        name: getattr(errors, name).__base__.__name__
        for name in ERRORS
        if name != "ConsentKitError"
    }

    assert dict(drawn_tree()) == {"ConsentKitError": None, **real}


def test_the_root_of_all_errors_is_an_ordinary_exception() -> None:
    assert errors.ConsentKitError.__base__ is Exception


def test_every_error_has_a_name_that_says_so() -> None:
    assert [name for name in ERRORS if not name.endswith("Error")] == []
