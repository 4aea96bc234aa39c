"""Asked, answered, looked up and ended by a client that speaks JSON, and nothing else.

``urllib`` sends; of cookies it has the session's alone, and it never sees a page of
ours.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from tests.running import Running

API = "/consent/api/v1"
YES = {"purpose": "credit-score", "recipient": "acme-credit", "answer": "given"}


@dataclass(frozen=True)
class Phone:
    """An app on a phone, of somebody who has signed in."""

    home: str
    session: str

    def fetch(self, path: str, body: object = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Cookie": self.session, "Content-Type": "application/json"}
        request = Request(urljoin(self.home, path), data, headers)  # noqa: S310  http, ours
        with urlopen(request, timeout=20) as answer:  # noqa: S310  the same
            assert "Set-Cookie" not in answer.headers
            found: bytes = answer.read()
        return found

    def call(self, path: str, body: object = None) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.fetch(path, body))
        return found

    def refused(self, path: str, body: object) -> str:
        with pytest.raises(HTTPError) as caught:
            self.fetch(path, body)
        with caught.value as answer:
            assert answer.headers["Content-Type"] == "application/problem+json"
            return str(json.load(answer)["type"].rpartition("/")[2])

    def status(self) -> dict[str, Any]:
        answers = self.call(f"{API}/status")["answers"]
        (found,) = [each for each in answers if each["purpose"] == "credit-score"]
        return dict(found)


@pytest.fixture
def phone(running: Running) -> Phone:
    person = running.sign_in("xiaoyu")
    (cookie,) = [e for e in person.session.cookies if e.name == "wallet_session"]
    return Phone(running.wallet, f"{cookie.name}={cookie.value}")


@pytest.mark.requirement("R15", "R16", "R21", "R31", "R53", "R54", "R73", "R115")
def test_a_client_without_a_browser_asks_answers_looks_and_ends(phone: Phone) -> None:
    shown = phone.call(
        f"{API}/presentations", {"purpose": "credit-score", "again": True}
    )
    notice = shown["notice"]
    assert (
        hashlib.sha256(phone.fetch(notice["manifest_url"])).hexdigest()
        == (notice["digest"])
    )
    fragment = phone.fetch(notice["html_url"]).decode()
    assert shown["wording"]["title"] in fragment
    assert shown["wording"]["questions"][0]["answers"][0]["answer"] == "refused"
    assert not any(each["holds"] for each in shown["answers"])

    to, token = shown["choices_url"], shown["token"]
    all_of_it = {"token": token, "answers": [{**YES, "recipient": "*"}]}
    assert phone.refused(to, all_of_it) == "separate-consent-required"
    chosen = phone.call(to, {"token": token, "answers": [YES]})
    assert phone.call(to, {"token": token, "answers": [YES]}) == chosen
    no = {**YES, "answer": "refused"}
    assert phone.refused(to, {"token": token, "answers": [no]}) == "token-spent"

    found = phone.status()
    assert (found["state"], found["holds"]) == ("given", True)
    assert found["record_id"] == chosen["record_id"]
    receipt = phone.call(found["receipt_url"] + ".json")
    assert receipt["receipt_id"] == chosen["record_id"]

    ended = phone.call(f"{API}/revocations", {"purpose": "credit-score"})
    assert ended["ended"] == [{"purpose": "credit-score", "recipient": "acme-credit"}]
    found = phone.status()
    assert (found["state"], found["holds"]) == ("withdrawn", False)
    assert found["record_id"] == ended["receipt_id"]
