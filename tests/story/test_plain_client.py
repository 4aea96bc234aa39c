"""Everything by an HTTP client that knows forms and links, and nothing else.

No browser, no script, no library of ours or of anybody's: ``urllib`` sends, ``html``
reads, and a form is filled in and sent as HTML says.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from dataclasses import field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.parse import urljoin
from urllib.request import HTTPCookieProcessor
from urllib.request import build_opener

import pytest

if TYPE_CHECKING:
    from tests.running import Running

_VOID = {"input", "meta", "link", "br"}


@dataclass
class Form:
    """One form: where it goes, what it sends by itself, and what can be pressed."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[dict[str, str]] = field(default_factory=list)


class Reader(HTMLParser):
    """The forms and links of a page, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = found.get("method", "get")
            self.forms.append(Form(found.get("action", ""), method))
        elif tag == "input" and self.forms and found.get("type") == "hidden":
            self.forms[-1].fields[found["name"]] = found["value"]
        elif tag == "input" and self.forms and found.get("type") in {"email", "text"}:
            self.forms[-1].fields.setdefault(found["name"], "")
        elif tag == "button" and self.forms and "hidden" not in found:
            self.forms[-1].buttons.append(found)
        elif tag == "a":
            self.links.append((found.get("href", ""), ""))
        if tag not in _VOID:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "script" in self._inside or "style" in self._inside:
            return
        self.words.append(data)
        if "a" in self._inside:
            href, text = self.links.pop()
            self.links.append((href, text + data))

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


class Client:
    """Somebody at such a client, with cookies of the app's own."""

    def __init__(self, home: str) -> None:
        self.cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.cookies))
        self.address = home
        self.body = b""

    @property
    def page(self) -> Reader:
        return Reader(self.body.decode())

    def go(self, address: str, form: dict[str, str] | None = None) -> Reader:
        """Load an address, or send a form to it; redirects are followed."""
        data = urlencode(form).encode() if form is not None else None
        with self._opener.open(urljoin(self.address, address), data, 20) as answer:
            self.address, self.body = answer.url, answer.read()
        return self.page

    def follow(self, text: str) -> Reader:
        """The first link with these words."""
        return self.go(next(href for href, words in self.page.links if text in words))

    def press(self, action: str, **typed: str) -> Reader:
        """The first button that does ``action``, with what was typed into its form."""
        form, button = next(
            (form, button)
            for form in self.page.forms
            for button in form.buttons
            if action in (button.get("data-ck-action"), form.action.split("?")[0])
        )
        sent = {**form.fields, **typed}
        if "name" in button:
            sent[button["name"]] = button.get("value", "")
        return self.go(form.action or self.address, sent)


@pytest.fixture
def tom(running: Running) -> Client:
    client = Client(running.wallet)
    client.go("/sign-in")
    (email,) = (each for each in running.people if each.startswith("tom"))
    client.press("/sign-in", email=email, password=running.people[email])
    assert "/sign-in" not in client.address
    return client


@pytest.mark.requirement("R30", "R31", "R47", "R53", "R91", "R92")
def test_a_client_that_knows_forms_and_links_can_do_everything(
    running: Running, tom: Client
) -> None:
    tom.go("/")
    tom.follow("Your choices")
    for action, told in (
        ("decline", "You said no"),
        ("later", "later"),
        ("accept", "You said yes"),
    ):
        tom.go("/consent/ask/credit-score")
        assert told in tom.press(action).text
        assert "/consent/result/" in tom.address
        assert told in tom.go(tom.address).text, "loaded again, sent once"

    check_receipt(tom)
    tom.go("/consent/")
    assert "stopped" in tom.press("withdraw").text
    assert "You share data with nobody" in tom.go("/consent/").text

    tom.follow("Take everything with you as a file")
    kept = json.loads(tom.body)
    states = {each["purpose"]: each["event_state"] for each in kept["answers"]}
    assert states["credit-score"] == "withdrawn"
    assert len(kept["receipts"]) == 4

    tom.go("/consent/")
    tom.follow("Erase my records")
    assert "Your records are erased" in tom.press("/consent/erasure").text
    assert tom.address == f"{running.wallet}/consent/erased"
    assert "There is nothing to erase" in tom.go("/consent/erasure").text
    assert {each.name for each in tom.cookies} == {"wallet_session"}, "none of ours"


def check_receipt(client: Client) -> None:
    """The page, the file for people's programs, and the proof."""
    page = client.follow("Your receipt")
    address = client.address
    assert "You said yes" in page.text
    client.go(f"{address}.json")
    assert json.loads(client.body)["receipt_id"] == address.rsplit("/", 1)[1]
    until = time.monotonic() + 10
    while True:
        try:
            client.go(f"{address}.tlog-proof")
        except HTTPError as refusal:
            refusal.close()
            assert time.monotonic() < until, "the log never took the answer"
            time.sleep(0.2)
        else:
            break
    assert client.body.startswith(b"c2sp.org/tlog-proof@v1\n")
