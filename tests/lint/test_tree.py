from __future__ import annotations

import sys

import pytest

from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.lint import lint
from consentkit.lint.tree import MAX_CHARACTERS
from consentkit.lint.tree import MAX_DEPTH
from consentkit.lint.tree import Element
from consentkit.lint.tree import parse


def tags(root: Element) -> list[str]:
    return [element.tag for element in root.elements()]


def test_markup_is_repaired_as_a_browser_does() -> None:
    root = parse("<p>one<p>two<form><form></form></form>")

    assert tags(root) == ["html", "head", "body", "p", "p", "form"]


def test_attribute_names_are_lower_case_and_may_have_no_value() -> None:
    box = next(parse("<INPUT CHECKED Name='A'>").find("input"))

    assert (box.has("checked"), box.get("checked"), box.get("name")) == (True, "", "A")


def test_the_content_of_a_template_is_not_part_of_the_page() -> None:
    assert "secret" not in parse("<template><p>secret</p></template>").text()


def test_entities_are_text_and_comments_are_not() -> None:
    assert parse("<p>a &lt;b&gt;<!-- c --></p>").text() == "a <b>"


@pytest.mark.parametrize("html", ["", "\x00", "\ud800", "<", "<!doctype html>"])
def test_any_text_is_a_page(html: str) -> None:
    assert parse(html).tag == "html"
    assert list(lint(html)) == []


def test_walking_needs_no_recursion() -> None:
    deep = "<b>" * (MAX_DEPTH - 10) + "x"

    assert parse(deep).text() == "x"


def test_a_page_nested_too_deeply_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="at most 512 deep") as caught:
        parse("<div>" * (MAX_DEPTH + 1))

    assert caught.value.code == "page-too-deep"


def test_a_page_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="got 4000001") as caught:
        parse("x" * (MAX_CHARACTERS + 1))

    assert caught.value.code == "page-too-large"


def test_without_the_parser_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "selectolax.lexbor", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'consentkit\[lint\]'"):
        lint("<p>")
