"""A receipt is checked in its page, by the person's browser, and never too kindly."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from consentkit import cli
from tests.surface.desk import reset
from tests.surface.desk import signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser
    from playwright.sync_api import Page
    from playwright.sync_api import Route

    from tests.running import Running

FOUND = "#consentkit-check"
DONE = f"{FOUND}:not(:empty):not([data-outcome=busy])"
STRICT = (
    "default-src 'self'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)


def receipt_of(page: Page, purpose: str, action: str = "decline") -> str:
    """Answer, and wait until the log has taken it; the address of the receipt."""
    page.goto(f"/consent/ask/{purpose}")
    page.click(f"[data-ck-action={action}]:visible")
    address = page.locator('main a[href*="/receipts/"]').first.get_attribute("href")
    assert address
    for _ in range(100):
        page.goto(address)
        if page.locator(FOUND).count():
            return address
        page.wait_for_timeout(100)
    raise AssertionError("the log never took the answer")


def outcome(page: Page) -> str:
    """What the browser found out, once it has."""
    page.wait_for_selector(DONE)
    return str(page.locator(FOUND).get_attribute("data-outcome"))


@pytest.fixture(scope="module")
def ruth(browser: Browser, running: Running) -> Iterator[Page]:
    with signed_in(browser, running, "ruth") as page:
        yield page


@pytest.fixture(scope="module")
def address(ruth: Page) -> str:
    receipt_of(ruth, "credit-score", "accept")
    reset(ruth)
    return receipt_of(ruth, "credit-score")


@pytest.fixture
def page(ruth: Page) -> Iterator[Page]:
    yield ruth
    ruth.unroute_all()


@pytest.fixture(scope="module")
def proof(ruth: Page, address: str) -> bytes:
    return ruth.request.get(f"{address}.tlog-proof").body()


@pytest.mark.requirement("R48", "R49", "R30")
def test_a_receipt_that_holds_is_said_to_hold_under_the_strictest_policy(
    page: Page, address: str
) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))

    def harden(route: Route) -> None:
        answer = route.fetch()
        headers = {**answer.headers, "content-security-policy": STRICT}
        route.fulfill(response=answer, headers=headers)

    page.route(f"**{address}", harden)
    page.goto(address)

    assert outcome(page) == "holds"
    told = page.locator(FOUND)
    assert "This receipt holds" in told.inner_text()
    assert (told.get_attribute("role"), told.get_attribute("aria-live")) == (
        "status",
        "polite",
    )
    assert "keys from this website" in page.locator("main").inner_text()
    assert refused == []


def tampered(good: bytes) -> dict[str, bytes]:
    """The file with one thing wrong, everywhere that something can be wrong."""
    head, _, checkpoint = good.partition(b"\n\n")
    lines = head.split(b"\n")
    ends = [len(b"\n".join(lines[: n + 1])) for n in range(len(lines))]
    signature = good.rindex(b"\n", 0, -1)
    places = {
        "header": 3,
        "label of the leaf": ends[0] + 2,
        "first of the leaf": ends[0] + 10,
        "middle of the leaf": (ends[0] + ends[1]) // 2,
        "signature on the leaf": ends[1] - 8,
        "index": ends[2] - 1,
        **{f"hash {n}": end - 20 for n, end in enumerate(ends[3:])},
        "origin": len(head) + 3,
        "size": good.index(b"\n", len(head) + 2) + 1,
        "root": good.index(b"\n\n", len(head) + 2) - 5,
        "dash": signature + 2,
        "name of the key": signature + 6,
        "id of the key": good.rindex(b" ") + 2,
        "first of the signature": good.rindex(b" ") + 12,
        "last of the signature": len(good) - 4,
    }
    flipped = {
        f"{name}, bit {bit}": good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
        for name, at in places.items()
        for bit in (0, 6)
    }
    return {
        **flipped,
        "nothing": b"",
        "no leaf": good.replace(lines[1] + b"\n", b""),
        "no last newline": good[:-1],
        "a newline more": good + b"\n",
        "a byte order mark": b"\xef\xbb\xbf" + good,
        "lines as DOS has them": good.replace(b"\n", b"\r\n"),
        "not UTF-8": good.replace(b"\n\n", b"\n\xff\n", 1),
        "a leading zero": good.replace(b"\nindex ", b"\nindex 0"),
        "a sign": good.replace(b"\nindex ", b"\nindex +"),
        "a hash too few": good.replace(lines[-1] + b"\n", b"", 1),
        "a hash too many": good.replace(b"\n\n", b"\n" + lines[-1] + b"\n\n", 1),
        "no signature": good[: good.rindex(b"\n\n") + 2],
        "a signature of nobody known": good.replace(
            b"\xe2\x80\x94 ", b"\xe2\x80\x94 x"
        ),
        "text before the signatures": good.replace(checkpoint, b"1\n" + checkpoint),
        "white space in the base64": good.replace(lines[-1], lines[-1][:8] + b" \t"),
    }


@pytest.mark.requirement("R48", "R49")
def test_a_receipt_with_anything_wrong_is_never_said_to_hold(
    page: Page, address: str, proof: bytes
) -> None:
    sent = [b""]
    page.route("**/*.tlog-proof", lambda route: route.fulfill(body=sent[0]))
    for name, wrong in tampered(proof).items():
        assert wrong != proof, name
        sent[0] = wrong
        page.goto(address)
        assert outcome(page) == "fails", name
        assert "This receipt does not hold: " in page.locator(FOUND).inner_text(), name
        # What we say of the log gives way to what the browser found.
        assert not page.get_by_text("The log holds this entry.").is_visible()
    sent[0] = proof
    page.goto(address)
    assert outcome(page) == "holds"


def test_a_proof_of_another_answer_is_told_from_this_one(
    page: Page, address: str
) -> None:
    other = receipt_of(page, "shop-offers", "later")
    theirs = page.request.get(f"{other}.tlog-proof").body()
    page.route("**/*.tlog-proof", lambda route: route.fulfill(body=theirs))

    page.goto(address)

    assert outcome(page) == "fails"
    assert "about another entry" in page.locator(FOUND).inner_text()


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("log", "log has not signed it"),
        ("collector", "signature on your entry is wrong"),
    ],
    ids=["no key of the log", "no key of the collector"],
)
def test_without_the_right_key_nothing_holds(
    role: str, said: str, page: Page, address: str
) -> None:
    def without(route: Route) -> None:
        answer = route.fetch()
        (keys,) = re.findall('data-keys="([^"]+)"', answer.text())
        left = [
            key
            for key in keys.split()
            if ("/collector/" in key.split("+")[0]) != (role == "collector")
        ]
        assert left
        route.fulfill(response=answer, body=answer.text().replace(keys, " ".join(left)))

    page.route(f"**{address}", without)
    page.goto(address)

    assert outcome(page) == "fails"
    assert said in page.locator(FOUND).inner_text()


WEAK = {
    "no cryptography": "Object.defineProperty(window, 'crypto', {value: undefined})",
    "no Ed25519": "SubtleCrypto.prototype.importKey = async () => { throw new "
    "DOMException('', 'NotSupportedError') }",
}


@pytest.mark.parametrize("lack", WEAK)
def test_a_browser_that_cannot_check_says_so(
    lack: str, browser: Browser, running: Running, address: str
) -> None:
    with signed_in(browser, running, "ruth") as page:
        page.add_init_script(WEAK[lack])
        page.goto(address)

        assert outcome(page) == "unable"
        assert "cannot check signatures" in page.locator(FOUND).inner_text()


@pytest.mark.parametrize("status", [500, 404, 0])
def test_a_proof_that_does_not_come_proves_nothing_either_way(
    status: int, page: Page, address: str
) -> None:
    def lose(route: Route) -> None:
        if status:
            route.fulfill(status=status)
        else:
            route.abort()

    page.route("**/*.tlog-proof", lose)
    page.goto(address)

    assert outcome(page) == "unread"
    assert "Nothing was checked" in page.locator(FOUND).inner_text()


@pytest.mark.requirement("R30", "R48", "R49")
def test_without_a_script_the_page_tells_how_others_check_it_and_they_can(
    browser: Browser,
    running: Running,
    address: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with signed_in(browser, running, "ruth", java_script_enabled=False) as page:
        page.goto(address)
        assert page.locator(FOUND).inner_text() == ""
        assert "This receipt holds" not in page.locator("main").inner_text()
        proof = page.request.get(f"{address}.tlog-proof").body()
        page.get_by_role("link", name="how to check a receipt").click()
        (command,) = re.findall(
            "consentkit receipt .*", page.locator("main").inner_text()
        )

    path = tmp_path / "receipt.tlog-proof"
    path.write_bytes(proof)
    _, *arguments = shlex.split(command)
    arguments[arguments.index("receipt.tlog-proof")] = str(path)

    assert cli.main(arguments) == 0
    assert "said NO" in capsys.readouterr().out
