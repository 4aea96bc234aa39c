"""Opening a page in Chromium, looking at it from all sides, and judging what is seen.

The page is opened once, without an answer being given, and judged as its scripts left
it. Every element is numbered, the page is parsed as the static rules parse it, and the
numbers say which element on the screen each control and each sentence is.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from consentkit.errors import InvalidRequestError
from consentkit.lint import look_rules
from consentkit.lint import state_rules
from consentkit.lint.address import host_of
from consentkit.lint.chromium import chromium
from consentkit.lint.finding import Findings
from consentkit.lint.focusing import unmarked
from consentkit.lint.page import Page
from consentkit.lint.poking import gestures
from consentkit.lint.poking import returning
from consentkit.lint.poking import switches
from consentkit.lint.profiles import rules_of
from consentkit.lint.script import NEEDED_COOKIE
from consentkit.lint.sight import FORCED
from consentkit.lint.sight import STAMP
from consentkit.lint.sight import VIEWPORTS
from consentkit.lint.sight import Look
from consentkit.lint.sight import Sight
from consentkit.lint.sight import View
from consentkit.lint.sight import Viewport
from consentkit.lint.table import judge
from consentkit.lint.waiting import idled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser
    from playwright.sync_api import BrowserContext
    from playwright.sync_api import Page as Tab
    from playwright.sync_api import Route

    from consentkit.lint.question import Question
    from consentkit.lint.source import Source

__all__ = ["RULES", "browse", "judge_in"]

RULES = tuple(sorted((*look_rules.RULES, *state_rules.RULES), key=lambda rule: rule.id))

# RFC 2606: a host that no resolver knows; a page from a file is served under it.
_NOWHERE = "http://page.invalid/"
# The list's own figure: scripts may tick a box after the page has loaded.
_SETTLE_SECONDS = 2.0
_TIMEOUT = 30_000  # milliseconds, the whole of a slow page
_STAMPING = (
    f"document.querySelectorAll('*').forEach((e, n) => e.setAttribute('{STAMP}', n))"
)


def browse(
    source: Source,
    *,
    lang: str = "",
    cookies: Mapping[str, str] | None = None,
    settle: float = _SETTLE_SECONDS,
    profile: str = "",
) -> Findings:
    """Judge a page as Chromium shows it: by its layout, and by its finished markup.

    A page that came from an address is opened there, with ``cookies``; one from a file
    is shown without any network. ``profile`` adds what one country asks for.

    Raises:
        ConfigurationError: Playwright or Chromium is missing, or no such profile is.
        InvalidRequestError: the page does not open.
    """
    with chromium() as browser:
        return judge_in(
            browser, source, lang=lang, cookies=cookies, settle=settle, profile=profile
        )


def judge_in(
    browser: Browser,
    source: Source,
    *,
    lang: str = "",
    cookies: Mapping[str, str] | None = None,
    settle: float = _SETTLE_SECONDS,
    profile: str = "",
) -> Findings:
    """Do what `browse` does in a browser that runs already.

    Raises:
        ConfigurationError: there is no such profile.
        InvalidRequestError: the page does not open.
    """
    rules = (*RULES, *rules_of(profile))
    context = browser.new_context(service_workers="block")
    try:
        context.set_default_timeout(_TIMEOUT)
        for name, value in (cookies or {}).items():
            context.add_cookies([{"name": name, "value": value, "url": source.url}])
        page, sights = _look(context, source, lang, settle)
    finally:
        context.close()
    found = (finding for r in rules for sight in sights for finding in r.judge(sight))
    seen = Findings(
        tuple(dict.fromkeys(found)),
        questions=0,  # the parsed page counts them
        rules_checked=tuple(rule.id for rule in RULES),
    )
    return judge(page, measured=True).joined(seen)


def _look(
    context: BrowserContext, source: Source, lang: str, settle: float
) -> tuple[Page, list[Sight]]:
    hosts: dict[str, None] = {}
    tab = context.new_page()
    tab.on("request", lambda request: hosts.setdefault(host_of(request.url)))
    _open(tab, source, settle)
    own = host_of(tab.url)
    kept = _kept(context, own)
    tab.evaluate(_STAMPING)
    page = Page.parse(tab.content(), lang=lang, address=tab.url)
    foreign = tuple(host for host in hosts if host not in {"", own})
    views = [_view(tab, screen, page) for screen in VIEWPORTS] if page.questions else []
    tab.emulate_media(color_scheme="light", forced_colors="none")
    alone = _waited(context, source, settle) if page.questions else ()
    sights = []
    for question in page.questions:
        met = switches(tab, question, beside=context.new_page())
        meeting = replace(
            met,
            hosts=foreign,
            cookies=kept,
            unmarked=unmarked(tab, question),
            deeds=gestures(tab),
            idled=alone,
        )
        sights.append(Sight(question, tuple(views), meeting))
    return page, [_returned(tab, sight, source) for sight in sights]


def _open(tab: Tab, source: Source, settle: float) -> None:
    from playwright.sync_api import Error  # noqa: PLC0415  an extra

    if not source.url:
        tab.context.route("**/*", lambda route: _serve(route, source.html))
    try:
        tab.goto(source.url or _NOWHERE, wait_until="load")
    except Error as error:
        shown = source.url or "the page"
        raise InvalidRequestError(
            f"expected {shown!r} to open in Chromium: {error.message.splitlines()[0]}",
            code="page-unreadable",
        ) from error
    tab.wait_for_timeout(settle * 1000)


def _waited(context: BrowserContext, source: Source, settle: float) -> tuple[str, ...]:
    """Open the page once more, and let time pass without touching it."""
    tab = context.new_page()
    tab.clock.install()
    _open(tab, source, settle)
    deeds = idled(tab)
    tab.close()
    return deeds


def _serve(route: Route, html: str) -> None:
    """Answer with the page itself; nothing else is there, and nobody is called."""
    if route.request.url == _NOWHERE and route.request.method == "GET":
        route.fulfill(body=html, content_type="text/html; charset=utf-8")
    else:
        route.fulfill(status=404, body="")


def _kept(context: BrowserContext, own: str) -> tuple[str, ...]:
    """Return others' cookies, and own ones that outlast the session for no need."""
    return tuple(
        cookie["name"]
        for cookie in context.cookies()
        if not own.endswith(cookie["domain"].lstrip("."))
        or (cookie["expires"] != -1 and not NEEDED_COOKIE.search(cookie["name"]))
    )


def _view(tab: Tab, screen: Viewport, page: Page) -> View:
    tab.emulate_media(
        color_scheme="dark" if screen.scheme == "dark" else "light",
        forced_colors="active" if screen.scheme == FORCED else "none",
    )
    tab.set_viewport_size({"width": screen.width, "height": screen.height})
    script = files("consentkit.lint").joinpath("measure.js").read_text("utf-8")
    stamps = [stamp for q in page.questions for stamp in _stamps(q)]
    told = tab.evaluate(script, stamps)
    looks = {stamp: Look.from_dict(look) for stamp, look in told["looks"].items()}
    return View(screen, looks, told["page"], told["body"])


def _stamps(question: Question) -> list[str]:
    return [element.get(STAMP) for element in question.element.elements()]


def _returned(tab: Tab, sight: Sight, source: Source) -> Sight:
    """Add what is on when the page is loaded anew and gone back to (D01)."""
    labels = returning(tab, sight.question, source.url or _NOWHERE)
    return replace(sight, meeting=replace(sight.meeting, returning=labels))
