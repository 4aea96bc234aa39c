"""What every page of ours must and must not hold, whatever is declared."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from consentkit.lint import Severity
from consentkit.lint import lint
from consentkit.web import pages
from consentkit.web.locale import Locale
from consentkit.web.locale import available_locales
from consentkit.web.problems import PROBLEM_STATUS

from . import screens

LATIN_NAMES = re.findall(
    "[A-Za-z]+", " ".join(Locale(code).name for code in available_locales())
)
LARGEST_CSS = LARGEST_SCRIPT = 10_000  # bytes on the wire
SCRIPT = "/consent/static/receipt.js"

PAGES = {
    f"{name} ({code})": html
    for code in available_locales()
    for name, html in screens.all_pages(Locale(code)).items()
}
Attributes = dict[str, str | None]


class Outline(HTMLParser):
    """The start tags of a page, with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Attributes]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, *names: str) -> list[Attributes]:
        return [attributes for tag, attributes in self.tags if tag in names]


def _element(html: str, pattern: str) -> str:
    found = re.findall(pattern, html)
    assert len(found) == 1, pattern
    return str(found[0])


def _chinese(words: str) -> str:
    """All in Chinese but names and addresses."""
    name = words.endswith(" Ltd") or ("@" in words and " " not in words)
    return words if name else "示例文字"


# -- all pages -------------------------------------------------------------------------


@pytest.mark.requirement("R117")
@pytest.mark.parametrize("code", available_locales())
def test_hostile_words_stay_words_in_every_field_of_every_page(code: str) -> None:
    harmless = screens.all_pages(Locale(code))

    for name, html in screens.all_pages(Locale(code), screens.attack).items():
        page = Outline(html)
        expected = [tag for tag, _ in Outline(harmless[name]).tags]
        # A contact that is no address any more is no link any more.
        assert [tag for tag, _ in page.tags if tag != "a"] == [
            tag for tag in expected if tag != "a"
        ], name
        assert screens.ATTACK in page.text, name
        harmful = [(tag, a) for tag, a in page.tags if {"onerror", "src"} & set(a)]
        ours = {("script", address) for address in (SCRIPT, screens.FRESH[0])}
        assert ours >= {(tag, a["src"]) for tag, a in harmful}, name


@pytest.mark.requirement("R30")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_no_script_no_inline_style_and_no_other_host(name: str) -> None:
    page = Outline(PAGES[name])

    assert page.all("style", "img", "iframe", "object", "embed") == []
    # A script is of our own and comes with its hash; what it does is extra.
    address, integrity = screens.FRESH
    for script in page.all("script"):
        if name.startswith("receipt ("):
            assert script.items() >= {"type": "module", "src": SCRIPT}.items()
            assert script["integrity"] == "sha384-abc"
        else:
            assert name.startswith(("ask ", "confirm "))
            assert script == {"src": address, "integrity": integrity, "defer": None}
    for tag, attributes in page.tags:
        assert "style" not in attributes, tag
        assert not [key for key in attributes if key.startswith("on")], tag
    assert [each["href"] for each in page.all("link")] == [
        "/consent/static/consentkit.css"
    ]
    addresses = [each["action"] for each in page.all("form")]
    assert all(str(address).startswith("/") for address in addresses)


@pytest.mark.requirement("R110")
@pytest.mark.parametrize("name", PAGES)
def test_headings_begin_at_one_and_leave_no_level_out(name: str) -> None:
    levels = [
        int(tag[1]) for tag, _ in Outline(PAGES[name]).tags if re.match("h[1-6]$", tag)
    ]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.requirement("R110")
@pytest.mark.parametrize("name", PAGES)
def test_ids_are_unique_and_what_is_referred_to_is_there(name: str) -> None:
    page = Outline(PAGES[name])
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    wanted = [
        word
        for _, attributes in page.tags
        for key in ("aria-labelledby", "for")
        for word in str(attributes.get(key) or "").split()
    ]

    assert len(ids) == len(set(ids))
    assert set(wanted) <= set(ids)


@pytest.mark.requirement("R16")
@pytest.mark.requirement("D01")
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_chosen_for_the_person_anywhere(name: str) -> None:
    for attributes in Outline(PAGES[name]).all("input", "button"):
        assert not {"checked", "autofocus", "required"} & set(attributes)


@pytest.mark.requirement("R114")
@pytest.mark.parametrize("code", available_locales())
def test_a_page_says_its_language_and_direction(code: str) -> None:
    locale = Locale(code)

    for name, html in screens.all_pages(locale).items():
        (root,) = Outline(html).all("html")
        assert root["lang"] == code, name
        assert root["dir"] == locale.direction, name


@pytest.mark.requirement("D33")
@pytest.mark.parametrize("code", ["ar", "zh-Hans"])
def test_no_word_of_ours_is_left_in_english(code: str) -> None:
    """Catches words in a template that never went through the catalogue."""
    for name, html in screens.all_pages(Locale(code), lambda _: "·").items():
        prose = re.sub(r"<pre>.*?</pre>", "", html, flags=re.DOTALL)  # no commands
        text = re.sub(r"\S*[/@.]\S*|[0-9a-f]{8,}…?", "", Outline(prose).text)
        names = {*LATIN_NAMES, "UTC", "consentkit", *code.split("-")}
        assert set(re.findall(r"[A-Za-z]+", text)) <= names, name


# -- the linter on our own pages -------------------------------------------------------


@pytest.mark.requirement("D42")
@pytest.mark.parametrize(
    ("code", "words"), [("en", screens.plain), ("zh-Hans", _chinese)]
)
def test_our_own_pages_pass_our_own_linter(code: str, words: screens.Words) -> None:
    for name, html in screens.all_pages(Locale(code), words).items():
        findings = lint(html, lang=code)
        assert [each for each in findings if each.severity is Severity.ERROR] == [], (
            name
        )


# -- decline and accept ----------------------------------------------------------------


@pytest.mark.requirement("R17")
@pytest.mark.requirement("D04")
def test_the_buttons_for_no_and_yes_differ_in_their_words_alone() -> None:
    html = screens.notice(screens.registry(), "credit-score")
    decline = _element(html, r'<button[^>]*data-ck-action="decline"[^>]*>')
    accept = _element(html, r'<button[^>]*data-ck-action="accept"[^>]*>')

    assert decline.replace("refused", "given").replace("decline", "accept") == accept


@pytest.mark.requirement("R17")
def test_the_radios_for_no_and_yes_differ_in_their_words_alone() -> None:
    html = screens.notice(screens.registry(), "shop-offers")
    declines = re.findall(r'<input[^>]*data-ck-action="decline"[^>]*>', html)
    accepts = re.findall(r'<input[^>]*data-ck-action="accept"[^>]*>', html)

    assert len(declines) == len(accepts) == 2
    assert [
        each.replace("refused", "given").replace("decline", "accept")
        for each in declines
    ] == accepts


@pytest.mark.requirement("D29")
@pytest.mark.parametrize("purpose", ["credit-score", "shop-offers", "night-help"])
def test_the_no_always_comes_before_the_yes(purpose: str) -> None:
    html = screens.notice(screens.registry(), purpose)
    actions = re.findall(r'data-ck-action="(decline|accept)"', html)

    assert actions == ["decline", "accept"] * (len(actions) // 2)


@pytest.mark.requirement("D30")
def test_the_enter_key_finds_no_button_that_answers() -> None:
    """The first submit button of a form is the one that Enter presses."""
    app = screens.registry()
    html = screens.render(
        "widget.html", screens.widget(app, "credit-score"), screens.ENGLISH
    )
    first = Outline(html).all("button")[0]

    assert first["formmethod"] == "dialog"
    assert "hidden" in first
    assert "name" not in first


# -- the fragment and what stands round it ---------------------------------------------


@pytest.mark.requirement("R45")
def test_the_fragment_is_the_same_for_everybody_on_every_day() -> None:
    first = screens.notice(screens.registry(), "credit-score")

    assert first == screens.notice(screens.registry(), "credit-score")
    assert not re.search(r"token|csrf|signed in|<form|<time|20[0-9]{2}", first)


@pytest.mark.requirement("R13")
def test_the_fragment_stands_in_widget_and_notice_page_byte_for_byte() -> None:
    app = screens.registry()
    fragment = screens.notice(app, "credit-score")
    shown = screens.all_pages()

    assert fragment in shown["ask credit-score"]
    assert fragment in shown["notice"]


@pytest.mark.requirement("R2")
@pytest.mark.requirement("R9")
@pytest.mark.parametrize("purpose", ["credit-score", "shop-offers", "night-help"])
def test_the_fragment_marks_every_essential(purpose: str) -> None:
    html = screens.notice(screens.registry(), purpose)

    for essential in ("controller", "purpose", "data", "recipient", "withdraw"):
        assert f'data-ck-essential="{essential}"' in html
    assert '<a href="/consent/">' in html


@pytest.mark.requirement("R32")
def test_the_widget_says_whose_answer_it_is_until_when_and_where_the_notice_stays() -> (
    None
):
    html = screens.all_pages()["ask credit-score"]
    text = Outline(html).text

    assert "You are signed in as a•••@example.org." in text
    assert "A yes given today ends on 20 November 2027." in text
    assert "fingerprint 9f2c41ab9f2c41ab…" in text
    # Together, or else a line from right to left puts the dots before it.
    assert "<bdi>9f2c41ab9f2c41ab…</bdi>" in html


def test_the_form_holds_a_token_and_what_was_asked_and_nothing_else() -> None:
    page = Outline(screens.all_pages()["ask credit-score"])
    named = [
        str(each["name"]) for each in page.all("input", "button") if "name" in each
    ]

    assert named == [
        "token",
        "csrf_token",
        "data.credit-score.acme-credit",
        *["choice.credit-score.acme-credit"] * 3,
    ]


def test_a_notice_lists_the_names_of_its_controls() -> None:
    app = screens.registry()
    for purpose in app.purposes:
        view = pages.notice_view(
            app.questions(purpose), screens.ENGLISH, centre_url="/consent/"
        )
        inputs = Outline(screens.notice(app, purpose)).all("input", "button")
        assert set(view.controls) == {each["name"] for each in inputs if "name" in each}


def test_a_copy_of_a_notice_cannot_be_answered() -> None:
    html = screens.all_pages()["notice"]

    assert "<form" not in html
    assert '<fieldset class="consentkit-copy" disabled>' in html


def test_somebody_who_is_not_signed_in_is_asked_to_and_sees_no_form() -> None:
    view = pages.WidgetView(lang="en", dir="ltr", sign_in_url="/login?a=1&b=2")
    html = screens.render("widget.html", view, screens.ENGLISH)

    assert "<form" not in html
    assert 'href="/login?a=1&amp;b=2"' in html


@pytest.mark.requirement("R113")
def test_a_page_in_another_language_than_wanted_says_so_once() -> None:
    fallback = Locale("en", fallback_from="français")

    for name, html in screens.all_pages(fallback).items():
        assert html.count("This page is not available in <bdi>français</bdi>.") == 1, (
            name
        )


@pytest.mark.requirement("R107")
def test_an_honoured_opt_out_signal_is_told() -> None:
    assert "Opt-out signal honoured" in PAGES["centre (en)"]
    assert "Opt-out signal honoured" in PAGES["ask credit-score (en)"]


# -- the rest --------------------------------------------------------------------------


@pytest.mark.parametrize("code", PROBLEM_STATUS)
def test_every_problem_says_what_is_wrong_and_what_to_do(code: str) -> None:
    view = pages.problem_view(code, screens.ENGLISH, status=PROBLEM_STATUS[code])

    assert view.title
    assert str(view.detail).endswith(".")


def test_an_unknown_problem_is_told_as_an_unreadable_answer() -> None:
    view = pages.problem_view("brand-new", screens.ENGLISH, status=418)

    assert view.title == "We could not read this answer"


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("anna@example.org", "a•••@example.org"),
        ("Anna", "Anna"),
        ("@example.org", "@example.org"),
        ("anna@", "anna@"),
        ("", ""),
    ],
)
def test_an_account_is_told_to_its_owner_alone(account: str, shown: str) -> None:
    assert pages.mask_account(account) == shown


@pytest.mark.requirement("R30")
def test_the_script_is_small_and_writes_no_markup() -> None:
    scripts = sorted((screens.WEB / "static").glob("*.js"))
    source = b"".join(path.read_bytes() for path in scripts)

    assert scripts
    assert len(gzip.compress(source)) < LARGEST_SCRIPT
    # None of the sinks that Trusted Types guard, nor a store on the device.
    assert not re.search(
        rb"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|import\("
        rb"|createElement|setAttribute|[sS]torage|cookie",
        source,
    )


def test_the_style_sheet_is_small_and_loads_nothing() -> None:
    css = (screens.WEB / "static" / "consentkit.css").read_text("utf-8")

    assert len(gzip.compress(css.encode())) < LARGEST_CSS
    assert not re.search(r"url\(|@import", css)
    # Right-to-left pages mirror by themselves when no side has a name.
    assert not re.search(r"\b(left|right)\b|(?<![-\w])(min-|max-)?(width|height):", css)
