"""What goes to a recipient goes inside a share, by requests and by urllib3."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING

import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.adapters import HTTPAdapter

from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from consentkit.errors import UngatedSendError
from consentkit.service.administering import Official
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.guarded_http import guard_pools
from consentkit.service.guarded_http import guarded_pool
from consentkit.service.guarded_requests import GuardedSession
from consentkit.service.guarding import Guard
from consentkit.service.live import live_releases
from consentkit.service.suspending import suspend
from tests.processes import in_fork
from tests.recipient_server import RecipientServer
from tests.recipient_server import serve_recipient
from tests.service.guarded import CLIENTS
from tests.service.guarded import led_to
from tests.service.guarded import shared
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NEW_YEAR
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Post = Callable[[str, bytes], int]


@pytest.fixture
def scorer() -> Iterator[RecipientServer]:
    with serve_recipient() as server:
        yield server


@pytest.fixture
def wallet(tmp_path: Path, scorer: RecipientServer) -> Wallet:
    """Alice agreed to the score and to the offers, Bob refused."""
    wallet = Wallet(tmp_path, declared=led_to(scorer.url))
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("alice", SHOPS)
    return wallet


@pytest.fixture(params=CLIENTS)
def post(request: pytest.FixtureRequest, wallet: Wallet) -> Post:
    return CLIENTS[request.param](Guard(wallet.declared))


ENDS: dict[Reason, Callable[[Wallet], object]] = {
    Reason.WITHDRAWN: lambda wallet: wallet.revoke("alice"),
    Reason.REFUSED: lambda wallet: wallet.answer(
        "alice", CREDIT_SCORE, said=State.REFUSED
    ),
    Reason.SUSPENDED: lambda wallet: suspend(
        wallet.installation,
        "credit-score",
        by=Official("Dot", "Wallet Ltd", "a complaint"),
    ),
    Reason.NOT_ASKED: lambda wallet: erase(
        wallet.installation, Erasing("alice", "request")
    ),
    Reason.EXPIRED: lambda wallet: setattr(wallet.clock, "now", NEW_YEAR + 400 * DAY),
}


@pytest.mark.requirement("R67")
def test_a_recipient_is_not_reached_outside_of_a_share(
    post: Post, scorer: RecipientServer
) -> None:
    with pytest.raises(UngatedSendError, match="no share with it is going on") as told:
        post(scorer.url, b"data")

    assert scorer.got == []
    assert told.value.recipients == {"acme-credit"}
    assert told.value.host == "127.0.0.1"
    assert not told.value.decision


@pytest.mark.requirement("R67")
def test_inside_a_share_its_recipient_is_reached(
    post: Post, wallet: Wallet, scorer: RecipientServer
) -> None:
    with shared(wallet):
        assert post(scorer.url, b"data") == 204

    assert [each.body for each in scorer.got] == [b"data"]
    assert live_releases() == ()
    with pytest.raises(UngatedSendError):
        post(scorer.url, b"more")


@pytest.mark.requirement("R67", "R68")
def test_a_share_opens_its_own_recipient_and_no_other(
    post: Post, wallet: Wallet, scorer: RecipientServer
) -> None:
    with (
        shared(wallet, key=SHOPS),
        pytest.raises(UngatedSendError, match="going on here is with 'corner-shops'"),
    ):
        post(scorer.url, b"data")

    with shared(wallet, key=SHOPS), shared(wallet), shared(wallet, key=SHOPS):
        assert post(scorer.url, b"data") == 204
    assert len(scorer.got) == 1


def test_who_is_no_recipient_is_reached_as_ever(post: Post) -> None:
    with serve_recipient() as other:
        assert post(other.url, b"weather, please") == 204
        assert len(other.got) == 1


@pytest.mark.requirement("R67")
@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f000001", "127.0.0.1.", "me:pw@127.0.0.1"]
)
def test_the_host_is_recognised_in_other_spellings(
    post: Post, scorer: RecipientServer, host: str
) -> None:
    with pytest.raises(UngatedSendError):
        post(scorer.url.replace("127.0.0.1", host), b"data")

    assert scorer.got == []


@pytest.mark.requirement("R67")
def test_a_redirect_to_a_recipient_is_refused(
    post: Post, scorer: RecipientServer
) -> None:
    with serve_recipient() as stranger:
        stranger.statuses, stranger.location = [307], scorer.url

        with pytest.raises(UngatedSendError):
            post(stranger.url, b"data")

    assert scorer.got == []


@pytest.mark.requirement("R67")
@pytest.mark.parametrize("name", CLIENTS)
def test_a_host_header_that_names_a_recipient_counts_as_its_address(
    scorer: RecipientServer, name: str
) -> None:
    guard = Guard(led_to("https://api.acme.example"))
    client = GuardedSession(guard) if name == "requests" else guarded_pool(guard)

    with pytest.raises(UngatedSendError):
        client.request("POST", scorer.url, headers={"Host": "API.acme.example"})

    assert scorer.got == []


@pytest.mark.requirement("R67")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_is_no_way_around(scheme: str) -> None:
    guard = Guard(led_to("//api.acme.example"))
    url = f"{scheme}://api.acme.example/scores"
    with serve_recipient() as proxy:
        where = proxy.url.removesuffix("/hooks/consent")
        through = urllib3.ProxyManager(where)
        guard_pools(through, guard)

        with pytest.raises(UngatedSendError):
            GuardedSession(guard).post(url, proxies={scheme: where}, timeout=10)
        with pytest.raises(UngatedSendError):
            through.request("POST", url, retries=False)

        assert proxy.got == []


@pytest.mark.requirement("R68")
def test_a_release_is_used_once_unless_it_says_how_often(
    post: Post, wallet: Wallet, scorer: RecipientServer
) -> None:
    with shared(wallet):
        post(scorer.url, b"data")
        with pytest.raises(UngatedSendError, match=r"for 1 request and is used up"):
            post(scorer.url, b"data")
    with shared(wallet, sends=2):
        post(scorer.url, b"data")
        post(scorer.url, b"data")
        with pytest.raises(UngatedSendError, match=r"for 2 requests and is used up"):
            post(scorer.url, b"data")

    assert len(scorer.got) == 3


@pytest.mark.requirement("R68")
def test_a_redirect_back_to_the_recipient_is_another_request(
    post: Post, wallet: Wallet, scorer: RecipientServer
) -> None:
    scorer.statuses, scorer.location = [307, 204], scorer.url
    with shared(wallet), pytest.raises(UngatedSendError, match="used up"):
        post(scorer.url, b"data")

    assert len(scorer.got) == 1
    scorer.statuses = [307, 204]
    with shared(wallet, sends=2):
        assert post(scorer.url, b"data") == 204


@pytest.mark.requirement("R68")
def test_a_retry_after_the_end_of_the_consent_is_refused(
    wallet: Wallet, scorer: RecipientServer
) -> None:
    retry = urllib3.Retry(3, status_forcelist=[503], allowed_methods=None)
    pool = guarded_pool(Guard(wallet.declared), retries=retry)
    scorer.statuses = [503, 204]
    take = scorer.take

    def end_it_first(*args: object) -> int:
        wallet.revoke("alice")
        return take(*args)  # type: ignore[arg-type]  # what it is given

    scorer.take = end_it_first  # type: ignore[assignment,method-assign]  # of a test's server

    with shared(wallet, sends=4), pytest.raises(ConsentDeniedError) as told:
        pool.request("POST", scorer.url, body=b"data")

    assert told.value.decision.reason is Reason.WITHDRAWN
    assert len(scorer.got) == 1


@pytest.mark.requirement("R68")
@pytest.mark.parametrize("reason", ENDS)
def test_what_ends_between_check_and_send_stops_the_send(
    post: Post, wallet: Wallet, scorer: RecipientServer, reason: Reason
) -> None:
    with shared(wallet):
        ENDS[reason](wallet)
        with pytest.raises(ConsentDeniedError) as told:
            post(scorer.url, b"data")

    assert told.value.decision.reason is reason
    assert scorer.got == []


@pytest.mark.requirement("R68")
def test_a_consent_that_was_replaced_meanwhile_needs_another_share(
    post: Post, wallet: Wallet, scorer: RecipientServer
) -> None:
    with shared(wallet):
        wallet.revoke("alice")
        wallet.answer("alice", CREDIT_SCORE)
        with pytest.raises(InvalidRequestError, match="replaced by another"):
            post(scorer.url, b"data")

    assert scorer.got == []


@pytest.mark.requirement("R68")
def test_a_release_that_is_too_old_opens_nothing(
    post: Post, wallet: Wallet, scorer: RecipientServer
) -> None:
    with (
        shared(wallet, lifetime=-1),
        pytest.raises(UngatedSendError, match="CONSENTKIT_RELEASE_LIFETIME"),
    ):
        post(scorer.url, b"data")

    assert scorer.got == []


@pytest.mark.requirement("R68")
def test_a_release_belongs_to_its_thread_and_goes_along_with_its_context(
    post: Post, wallet: Wallet, scorer: RecipientServer
) -> None:
    caught: list[BaseException] = []

    def work() -> None:
        try:
            post(scorer.url, b"data")
        except UngatedSendError as error:
            caught.append(error)

    with shared(wallet):
        for target in (work, lambda: copy_context().run(work)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        assert len(caught) == 2, "a thread of its own has a context of its own"
        context = copy_context()
        thread = threading.Thread(target=lambda: context.run(work))
        thread.start()
        thread.join()

    assert len(scorer.got) == 1
    context.run(work)
    assert len(scorer.got) == 1, "a context that was kept opens nothing afterwards"


@pytest.mark.requirement("R68")
def test_a_release_does_not_go_along_into_a_fork(
    post: Post, wallet: Wallet, scorer: RecipientServer
) -> None:
    def work() -> str:
        try:
            post(scorer.url, b"data")
        except UngatedSendError as error:
            return str(error)
        return "sent"

    with shared(wallet):
        assert "belongs to the process that shares" in in_fork(work).value

    assert scorer.got == []


@pytest.mark.requirement("R68")
def test_a_release_of_another_app_opens_nothing_here(
    post: Post, tmp_path: Path, scorer: RecipientServer
) -> None:
    other = Wallet(tmp_path / "other", declared=led_to(scorer.url))
    other.answer("alice", CREDIT_SCORE)

    with shared(other), pytest.raises(UngatedSendError):
        post(scorer.url, b"data")

    assert scorer.got == []


@pytest.mark.requirement("R68")
def test_a_body_in_parts_stops_where_the_consent_ends(
    wallet: Wallet, scorer: RecipientServer
) -> None:
    pool = guarded_pool(Guard(wallet.declared))
    made = []

    def parts() -> Iterator[bytes]:
        for number in range(3):
            made.append(number)
            yield b"x" * 10
            if number == 1:
                wallet.revoke("alice")

    with shared(wallet), pytest.raises(ConsentDeniedError):
        pool.request("POST", scorer.url, body=parts(), headers={"Content-Length": "30"})

    assert made == [0, 1, 2]
    assert all(len(each.body) <= 20 for each in scorer.got)


def test_no_message_names_the_person(
    post: Post, wallet: Wallet, scorer: RecipientServer
) -> None:
    with shared(wallet):
        wallet.revoke("alice")
        with pytest.raises(ConsentDeniedError) as told:
            post(scorer.url + "?who=alice", b"data")
    with pytest.raises(UngatedSendError) as ungated:
        post(scorer.url + "?who=alice", b"data")

    assert "alice" not in f"{told.value} {ungated.value}"


def test_without_a_lock_nothing_leaves(
    post: Post, wallet: Wallet, scorer: RecipientServer
) -> None:
    wallet.file.with_name(f"{wallet.file.name}-sends").write_bytes(b"in the way")

    with shared(wallet), pytest.raises(ConsentDeniedError) as told:
        post(scorer.url, b"data")

    assert told.value.decision.reason is Reason.STORE_UNAVAILABLE
    assert scorer.got == []
    assert wallet.revoke("alice").ended, "the end does not depend on it"


def test_retries_of_requests_are_kept_and_other_adapters_are_refused(
    wallet: Wallet,
) -> None:
    session = GuardedSession(Guard(wallet.declared))
    session.mount("https://", HTTPAdapter(max_retries=7))

    assert session.get_adapter("https://x.example/").max_retries.total == 7  # type: ignore[attr-defined]  # of an HTTPAdapter

    class Own(BaseAdapter):
        pass

    with pytest.raises(ConfigurationError, match=r"takes a plain .*; got Own"):
        session.mount("https://", Own())
    with pytest.raises(ConfigurationError, match="SOCKS"):
        session.get("https://x.example/", proxies={"https": "socks5://localhost"})
    assert isinstance(session, requests.Session)
