"""Somebody with a browser that knows no script: pages, cookies, links and forms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urldefrag
from urllib.parse import urlencode
from urllib.parse import urljoin
from urllib.parse import urlsplit
from urllib.response import addinfourl

from consentkit.errors import InvalidRequestError
from consentkit.lint import lexicon
from consentkit.lint.control import Kind
from consentkit.lint.control import kind_of
from consentkit.lint.naming import Namer
from consentkit.lint.page import Page
from consentkit.lint.passages import visible_text
from consentkit.lint.source import decode
from consentkit.lint.source import opener
from consentkit.lint.source import read_limited
from consentkit.lint.tree import Element
from consentkit.lint.tree import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from consentkit.lint.question import Question

__all__ = ["Screen", "Visitor", "filled_in"]

_TIMEOUT_SECONDS = 15.0
_OK, _FIRST_ERROR = 200, 400
_SUBMITS = frozenset({"submit", "image", "button", "reset", "file"})
Fields = list[tuple[str, str]]


@dataclass(frozen=True)
class Screen:
    """One page as it was answered: where it is in the end, its status, its markup."""

    url: str
    status: int
    html: str

    @cached_property
    def page(self) -> Page:
        """The page with its questions."""
        return Page.parse(self.html, address=self.url)

    @cached_property
    def document(self) -> Element:
        """The page's elements."""
        return parse(self.html)

    @property
    def works(self) -> bool:
        """Whether the server did not refuse."""
        return self.status < _FIRST_ERROR

    @property
    def asking(self) -> tuple[Question, ...]:
        """The questions to which a yes can be given here."""
        return tuple(q for q in self.page.questions if q.asks)

    def links(self) -> Iterator[tuple[str, str]]:
        """Yield the address and the folded words of each link to the same host."""
        namer = Namer(self.document)
        for element in self.document.find("a"):
            address = self.address_of(element.get("href"))
            if address:
                yield address, lexicon.fold(namer.name(element))

    def address_of(self, target: str) -> str:
        """Return the full address of a target on the same host, ``""`` for others."""
        try:
            address = urldefrag(urljoin(self.url, target)).url
            same = urlsplit(address)[:2] == urlsplit(self.url)[:2]
        except ValueError:
            return ""
        return address if same and not target.startswith("#") else ""

    def lookups(self) -> Iterator[Element]:
        """Yield the forms that only ask for a page, those of a question included."""
        for form in self.document.find("form"):
            leaves = lexicon.has("leaving-link", lexicon.fold(visible_text(form)))
            if form.get("method").lower() in {"", "get"} and not leaves:
                yield form

    def stops(self) -> tuple[Element, ...]:
        """Return the buttons that take a consent back."""
        namer = Namer(self.document)
        return tuple(
            element
            for element in self.document.elements()
            if element.get("data-ck-action") == "withdraw"
            or (
                kind_of(element) in {Kind.BUTTON, Kind.LINK}
                and lexicon.matches("withdraw-label", lexicon.fold(namer.name(element)))
                and not (element.tag == "a" and element.get("href").startswith("#"))
            )
        )


class Visitor:
    """Gets and posts as one person, and keeps the cookies."""

    def __init__(self, cookies: Mapping[str, str], *, signal: bool = False) -> None:
        """``cookies`` sign the person in; ``signal`` sends Global Privacy Control."""
        self._opener = opener()
        self._opener.add_handler(request.HTTPCookieProcessor(CookieJar()))
        self._given = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self._signal = signal

    @property
    def is_anonymous(self) -> bool:
        """Whether only the cookies of this visit say who it is."""
        return not self._given

    def get(self, url: str) -> Screen:
        """Open an address.

        Raises:
            InvalidRequestError: nobody answers there.
        """
        return self._ask(request.Request(url))  # noqa: S310  the opener knows http alone

    def send(self, url: str, fields: Fields, *, method: str) -> Screen:
        """Send a form.

        Raises:
            InvalidRequestError: nobody answers there.
        """
        data = urlencode(fields)
        if method.lower() != "post":
            # A form's fields take the place of the query; a link keeps its own.
            return self.get(f"{url.partition('?')[0]}?{data}" if data else url)
        parts = urlsplit(url)
        headers = {"Origin": f"{parts.scheme}://{parts.netloc}", "Referer": url}
        return self._ask(request.Request(url, data.encode(), headers))  # noqa: S310  as above

    def _ask(self, asked: request.Request) -> Screen:
        if self._given:
            asked.add_header("Cookie", self._given)
        if self._signal:
            asked.add_header("Sec-GPC", "1")
        try:
            with self._opener.open(asked, timeout=_TIMEOUT_SECONDS) as response:
                return _screen(response)
        except HTTPError as refusal:
            with refusal:
                return _screen(refusal)
        except (OSError, ValueError) as error:
            raise InvalidRequestError(
                f"expected an answer from {asked.full_url!r}: {error}",
                code="page-unreadable",
            ) from error


def _screen(response: addinfourl) -> Screen:
    kind = response.headers.get_content_type()
    charset = response.headers.get_content_charset("") or ""
    body = read_limited(response) if kind == "text/html" else b""
    status = response.status or _OK
    return Screen(response.url, status, decode(body, declared=charset))


def filled_in(form: Element, *, chosen: Sequence[Element] = ()) -> Fields:
    """Return what a form sends as it stands, with ``chosen`` turned on or pressed."""
    fields: Fields = []
    on = {id(element) for element in chosen}
    renamed = {e.get("name") for e in chosen if e.get("type").lower() == "radio"}
    for element in form.elements():
        name = element.get("name")
        if not name or element.has("disabled"):
            continue
        value = _value(element, is_chosen=id(element) in on, renamed=name in renamed)
        if value is not None:
            fields.append((name, value))
    inside = {id(element) for element in form.elements()}
    fields += [
        (e.get("name"), e.get("value"))
        for e in chosen
        if id(e) not in inside and e.get("name")
    ]
    return fields


def _value(element: Element, *, is_chosen: bool, renamed: bool) -> str | None:
    """Return what a control sends (HTML, constructing the entry list), or None."""
    type_ = element.get("type", "text").lower()
    if element.tag == "button" or (element.tag == "input" and type_ in _SUBMITS):
        return element.get("value") if is_chosen else None
    if element.tag == "input" and type_ in {"checkbox", "radio"}:
        on = is_chosen or (element.has("checked") and not renamed)
        return element.get("value", "on") if on else None
    if element.tag == "select":
        options = list(element.find("option"))
        marked = [o for o in options if o.has("selected")] or options[:1]
        return marked[0].get("value", marked[0].text().strip()) if marked else None
    if element.tag == "textarea":
        return element.text()
    return element.get("value") if element.tag == "input" else None
