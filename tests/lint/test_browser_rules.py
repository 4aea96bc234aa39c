"""What only a browser shows: pages that look or move otherwise than they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.lint.browsing import judge_in
from consentkit.lint.source import Source

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from consentkit.lint import Findings

pytestmark = pytest.mark.browser

STYLE = """body { font: 16px/1.5 sans-serif; margin: 16px; background: #fff }
button { font: inherit; color: #111; background: #fff; border: 2px solid #111;
  padding: 12px 20px; margin: 4px; min-width: 44px }"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Map</title>
<meta name="viewport" content="width=device-width"><style>{style}</style></head><body>
<section id="q"><p>May Rook Maps Ltd use your location history to draw a map?</p>
<p>You can withdraw at any time on <a href="/me">your page</a>.</p>{before}
<form method="post" action="/answer">{boxes}<button class="no" name="a" value="no">
Do not use</button><button class="yes" name="a" value="yes">Use my location history
</button></form></section>{after}</body></html>"""
BOX = """<label><input type="checkbox" name="b" autocomplete="off"{more}> I agree that
Rook Maps Ltd uses my location history</label>"""


def page(
    style: str = "", *, before: str = "", boxes: str = "", after: str = ""
) -> Source:
    css = f"{STYLE}\n{style}"
    return Source(PAGE.format(style=css, before=before, boxes=boxes, after=after))


def seen(browser: Browser, source: Source, **options: float) -> Findings:
    return judge_in(browser, source, settle=options.get("settle", 0.0))


def test_a_question_that_looks_honest_has_no_finding(browser: Browser) -> None:
    findings = seen(browser, page(boxes=BOX.format(more="")))

    assert list(findings) == []
    assert findings.questions == 1
    assert {"D06", "D07", "D39", "D40"} <= set(findings.rules_checked)


UNEQUAL = {
    "filled": (".yes { background: #0a58ca; color: #fff }", "is filled"),
    "larger letters": (".no { font-size: 15px }", "has larger letters"),
    "bold": (".yes { font-weight: 700 }", "is bolder"),
    "taller": (".yes { padding: 20px }", "is larger"),
    "on the first screen alone": (
        ".yes { position: absolute; top: 0 } .no { margin-top: 700px }",
        "is on the first screen of a phone",
    ),
}


@pytest.mark.requirement("D06")
@pytest.mark.parametrize(("style", "why"), UNEQUAL.values(), ids=UNEQUAL.keys())
def test_a_yes_that_stands_out_is_found(browser: Browser, style: str, why: str) -> None:
    found = {f.rule: f.why for f in seen(browser, page(style))}

    assert why in found["D06"]


@pytest.mark.requirement("D07")
def test_text_that_fades_in_the_dark_scheme_is_found(browser: Browser) -> None:
    dark = "@media (prefers-color-scheme: dark) { p { color: #ddd } }"

    findings = seen(browser, page(dark))

    assert findings.rules_broken == ("D07",)
    assert "dark" in findings[0].why


@pytest.mark.requirement("D08")
def test_text_that_a_style_sheet_shrinks_is_found(browser: Browser) -> None:
    assert seen(browser, page("p { font-size: 9px }")).rules_broken == ("D08",)


HIDDEN = {
    "moved away": ".no { position: absolute; left: -999px }",
    "see-through": ".no { opacity: .3 }",
    "in a box that scrolls": "form { height: 40px; overflow: auto }",
    "wider than a phone": ".no { margin-left: 400px }",
}


@pytest.mark.requirement("D09")
@pytest.mark.parametrize("style", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_no_that_is_out_of_sight_is_found(browser: Browser, style: str) -> None:
    assert "D09" in seen(browser, page(style)).rules_broken


@pytest.mark.requirement("D29")
def test_a_pair_that_changes_places_on_a_phone_is_found(browser: Browser) -> None:
    flip = "form { display: flex; flex-flow: column-reverse }"

    narrow = page(f"@media (max-width: 400px) {{ {flip} }}")

    assert "D29" in seen(browser, narrow).rules_broken


COVERED = {
    "small": (".no { padding: 0; line-height: 1; border: 0; font-size: 16px }", ""),
    "covered": (
        "",
        '<div style="position:fixed;inset:0;z-index:9" aria-hidden="true"></div>',
    ),
}


@pytest.mark.requirement("D39")
@pytest.mark.parametrize(("style", "after"), COVERED.values(), ids=COVERED.keys())
def test_a_no_that_is_hard_to_hit_is_found(
    browser: Browser, style: str, after: str
) -> None:
    assert "D39" in seen(browser, page(style, after=after)).rules_broken


SCRIPTS = {
    "ticked late": (
        "D01",
        "setTimeout(() => document.querySelector('input').click(), 50)",
    ),
    "focused": ("D30", "document.querySelector('.yes').focus()"),
    "blocked": ("D41", "document.querySelector('.no').disabled = true"),
    "a call elsewhere": ("D38", "fetch('http://stats.invalid/').catch(() => 0)"),
    "a lasting cookie": ("D38", "document.cookie = 'visitor=7; max-age=9999'"),
}


@pytest.mark.requirement("D01")
@pytest.mark.requirement("D30")
@pytest.mark.requirement("D38")
@pytest.mark.requirement("D41")
@pytest.mark.parametrize(("rule", "script"), SCRIPTS.values(), ids=SCRIPTS.keys())
def test_what_a_script_does_is_found(browser: Browser, rule: str, script: str) -> None:
    source = page(boxes=BOX.format(more=""), after=f"<script>{script}</script>")

    assert rule in seen(browser, source, settle=0.3).rules_broken


@pytest.mark.requirement("D01")
def test_a_choice_that_a_page_restores_by_itself_is_found(browser: Browser) -> None:
    script = """const box = document.querySelector('input');
    box.checked = sessionStorage.b === '1';
    box.addEventListener('change', () => { sessionStorage.b = box.checked ? 1 : 0 })"""
    source = page(boxes=BOX.format(more=""), after=f"<script>{script}</script>")

    findings = seen(browser, source)

    assert findings.rules_broken == ("D01",)
    assert "on again after the page was left" in findings[0].why


GESTURES = {
    "scrolling": "addEventListener('scroll', tell)",
    "escape": "addEventListener('keydown', e => e.key === 'Escape' && tell())",
    "leaving": "document.addEventListener('mouseleave', keep)",
}


@pytest.mark.requirement("D27")
@pytest.mark.parametrize("script", GESTURES.values(), ids=GESTURES.keys())
def test_a_gesture_that_answers_is_found(browser: Browser, script: str) -> None:
    tell = "const tell = () => fetch('/consent', {method: 'POST'});"
    keep = "const keep = () => { document.cookie = 'seen=1' };"
    long = '<p style="height: 3000px">The map of last year.</p>'
    source = page(after=f"{long}<script>{tell}{keep}{script}</script>")

    assert seen(browser, source).rules_broken == ("D27",)


@pytest.mark.requirement("D40")
def test_a_switch_that_looks_on_and_off_the_same_is_found(browser: Browser) -> None:
    style = "input { appearance: none; width: 40px; height: 24px; background: #484 }"

    findings = seen(browser, page(style, boxes=BOX.format(more="")))

    assert findings.rules_broken == ("D40",)


@pytest.mark.requirement("D40")
def test_a_switch_that_tells_another_state_is_found(browser: Browser) -> None:
    source = page(boxes=BOX.format(more=' aria-checked="false"'))

    findings = seen(browser, source)

    assert findings.rules_broken == ("D40",)
    assert "assistive technology" in findings[0].why


def test_a_page_that_does_not_open_is_told(browser: Browser) -> None:
    with pytest.raises(InvalidRequestError, match="to open in Chromium"):
        seen(browser, Source("", "http://127.0.0.1:9/"))


@pytest.mark.requirement("D07")
def test_a_button_without_a_border_is_lost_in_forced_colours(browser: Browser) -> None:
    style = "button { border: 0; background: #333; color: #fff }"
    source = page(style)
    annotated = source.html.replace('<section id="q"', '<section id="q" data-ck-root')

    found = [f.why for f in seen(browser, Source(annotated)) if f.rule == "D07"]

    assert found
    assert all("forced colours" in why for why in found)


FOCUS = {
    "none": "button:focus { outline: none }",
    "as light as the page": "button:focus { outline: 2px solid #eee }",
}


@pytest.mark.requirement("D07")
@pytest.mark.parametrize("style", FOCUS.values(), ids=FOCUS.keys())
def test_a_focus_that_cannot_be_seen_is_found(browser: Browser, style: str) -> None:
    findings = seen(browser, page(style))

    assert findings.rules_broken == ("D07",)
    assert "focus" in findings[0].why


def test_a_focus_that_is_shown_otherwise_is_no_fault(browser: Browser) -> None:
    style = "button:focus { outline: none; box-shadow: 0 0 0 3px #06c }"

    assert seen(browser, page(style)).rules_broken == ()


@pytest.mark.requirement("D08")
def test_lines_that_stand_too_close_are_found(browser: Browser) -> None:
    dense = "p { line-height: 1; max-width: 12em }"

    findings = seen(browser, page(dense))

    assert findings.rules_broken == ("D08",)
    assert "apart" in findings[0].why


@pytest.mark.requirement("D19")
def test_a_switch_whose_state_only_a_colour_shows_is_found(browser: Browser) -> None:
    style = """input { appearance: none; width: 40px; height: 24px; background: #c44 }
    input:checked { background: #1b8f3a }"""

    findings = seen(browser, page(style, boxes=BOX.format(more="")))

    assert findings.rules_broken == ("D19",)


IDLE = {
    "after ten minutes": "setTimeout(() => fetch('/c?agree=yes'), 600000)",
    "a countdown": """let n = 20;
    setInterval(() => --n || document.querySelector('form').submit(), 1000)""",
}


@pytest.mark.requirement("D24")
@pytest.mark.parametrize("script", IDLE.values(), ids=IDLE.keys())
def test_a_yes_that_comes_of_waiting_is_found(browser: Browser, script: str) -> None:
    findings = seen(browser, page(after=f"<script>{script}</script>"))

    assert "D24" in findings.rules_broken


def test_a_page_that_only_keeps_in_touch_is_no_fault(browser: Browser) -> None:
    ping = "setInterval(() => fetch('/ping', {method: 'POST'}), 60000)"

    assert seen(browser, page(after=f"<script>{ping}</script>")).rules_broken == ()


KOREAN = Source(
    PAGE.format(style=STYLE, before="", boxes="", after="").replace(
        "<p>May", '<p data-ck-essential="purpose" class="key">May'
    )
)


@pytest.mark.requirement("D08")
def test_korea_wants_key_items_larger_than_the_text_around(browser: Browser) -> None:
    larger = Source(KOREAN.html.replace("</style>", ".key { font-size: 20px }</style>"))

    plain = judge_in(browser, KOREAN, settle=0.0, profile="kr")
    stressed = judge_in(browser, larger, settle=0.0, profile="kr")

    assert plain.rules_broken == ("D08",)
    assert "19.2 px" in plain[0].why
    assert stressed.rules_broken == ()


def test_a_profile_that_is_not_known_is_told(browser: Browser) -> None:
    with pytest.raises(ConfigurationError, match="kr"):
        judge_in(browser, KOREAN, profile="atlantis")


def test_a_page_that_forbids_inline_styles_is_judged(browser: Browser) -> None:
    policy = """<meta http-equiv="Content-Security-Policy"
    content="default-src 'self'; require-trusted-types-for 'script'">"""
    strict = page(boxes=BOX.format(more="")).html.replace("<style>", f"{policy}<style>")

    findings = seen(browser, Source(strict))

    assert findings.questions == 1
    assert "D07" not in findings.rules_broken
