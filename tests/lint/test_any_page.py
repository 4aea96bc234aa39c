"""Whatever the page holds, the linter answers; and it never takes long to."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.lint import lint

PIECES = st.sampled_from(
    [
        "<form action='http://['>",
        "</form>",
        "<section data-ck-root>",
        "</section>",
        "<label>",
        "<input type=checkbox checked>",
        "<input type=radio name=a value=given data-ck-action=accept>",
        "<input type=range max=x value=y>",
        "<input type=hidden name=consent value=1>",
        "<select data-ck-purpose='a b'><option selected>",
        "<button data-ck-action=nonsense>",
        "<button>Accept",
        "<fieldset><legend>",
        "<details><summary>",
        "<p style='font-size:;color'>",
        "<img src='//[x'>",
        "<base href='http://a.example'>",
        "I agree that A Ltd shares my data with B Ltd. ",
        "By continuing you agree to cookies. ",
        "我同意共享我的个人信息。",
        " ",
    ]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=30))
def test_any_page_can_be_judged(pieces: list[str]) -> None:
    findings = lint("".join(pieces))

    assert all(f.where and f.why and f.do and f.source for f in findings)


@given(st.lists(PIECES, max_size=12))
def test_the_same_page_gives_the_same_findings(pieces: list[str]) -> None:
    html = "".join(pieces)

    assert lint(html) == lint(html)


HOSTILE = {
    "blocks in blocks": "<style>" + "a{" * 50_000 + "}" * 50_000,
    "many boxes": "<label><input type=checkbox> I agree to share my data</label>"
    * 1000,
    "one label for all": "<label>I agree to share my data"
    + "<input type=checkbox>" * 2000,
    "many yes buttons": "<div>We store your data" + "<button>Accept</button>" * 1000,
    "many forms": "<form>I agree to share my data<input type=checkbox></form>" * 500,
    "deep": "<div>" * 400 + "<form>I agree to share my data<input type=checkbox>",
    "no full stop": "<label><input type=checkbox> Share my data</label><p>"
    + "tick select check " * 20_000,
    "a long name": "<input type=checkbox aria-label='"
    + "I agree not to share my data if " * 20_000
    + "'>",
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_page_is_judged_in_seconds(html: str) -> None:
    """Each takes about a second; a quadratic walk would take minutes."""
    begun = time.monotonic()

    lint(html)

    assert time.monotonic() - begun < 20
