"""A log is closed for good, and the next one begins with its end and with new keys."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.verify import verify_log
from consentkit.core.act import Kind
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.encoding import decode_base64
from consentkit.log.note import split_note
from consentkit.service.administering import administrative_acts
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.exporting import export
from consentkit.service.publishing import publish_all
from consentkit.service.recording import sign_plain_leaf
from consentkit.service.rotating import make_key_files
from consentkit.service.signers import KeySources
from consentkit.service.signers import parse_key_uri
from consentkit.service.starting import start
from consentkit.service.suspending import suspend
from tests.processes import at_once
from tests.service.crashing import crash
from tests.service.log_files import files
from tests.service.two_logs import NEW
from tests.service.two_logs import OFFICER
from tests.service.two_logs import REASON
from tests.service.two_logs import begin
from tests.service.two_logs import begin_at
from tests.service.two_logs import close
from tests.service.two_logs import follow
from tests.service.two_logs import prove
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet
from tests.service.wallet import denied
from tests.service.witnessed import honest
from tests.service.witnessed import lines_under
from tests.service.witnessed import on_disk
from tests.service.witnessed import pretended
from tests.service.witnessed import show
from tests.service.witnessed import use

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consentkit.core.canonical import JSON
    from consentkit.service.signers import KeySource


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    """Alice said yes and her data was shared; Bob said no."""
    wallet = Wallet(tmp_path / "wallet")
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    return wallet


def test_a_log_ends_with_who_closed_it_and_what_follows(wallet: Wallet) -> None:
    closed = close(wallet)

    *_, admin, closure = wallet.leaves()
    assert (admin.kind, admin.body["action"]) == (Kind.ADMIN, "close-log")
    assert closure.kind is Kind.CLOSURE
    assert (closure.body["reason"], closure.body["successor"]) == (REASON, NEW)
    assert closed.finished
    assert closed.size == len(wallet.leaves())
    verified = verify_log(FolderSource(wallet.logs), trust=wallet.trust)
    assert verified.size == closed.size
    act = administrative_acts(wallet.installation)[-1]
    assert (act.person, act.reason) == (OFFICER.person, OFFICER.reason)


@pytest.mark.requirement("R97")
def test_nothing_gets_into_a_closed_log_and_nothing_is_shared(wallet: Wallet) -> None:
    other = Wallet(wallet.folder)
    close(wallet)
    before = wallet.contents()

    for process in (wallet, other):
        acts: list[Callable[[Wallet], object]] = [
            lambda each: each.answer("carol", CREDIT_SCORE),
            lambda each: each.revoke("alice"),
            lambda each: erase(each.installation, Erasing("alice", "request")),
            lambda each: suspend(each.installation, by=OFFICER),
        ]
        for act in acts:
            with pytest.raises(LogConflictError, match=f"CONSENTKIT_LOG_ORIGIN.*{NEW}"):
                act(process)
        assert denied(process) is Reason.STORE_UNAVAILABLE
    assert wallet.contents() == before
    assert publish_all(other.installation) == len(wallet.leaves())


def test_a_log_is_closed_once(wallet: Wallet) -> None:
    close(wallet)
    before = wallet.contents()
    assert close(wallet).finished
    assert wallet.contents() == before
    with pytest.raises(InvalidRequestError, match="closed already") as caught:
        close(wallet, "wallet.example/consent/2026c")
    assert caught.value.code == "closed-otherwise"


@pytest.mark.parametrize("name", ["", "with space", "with+plus", ORIGIN])
def test_a_successor_has_a_name_of_its_own(wallet: Wallet, name: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        close(wallet, name)
    assert caught.value.code == "successor"
    assert not wallet.leaves("closure")


def test_a_log_that_cannot_be_published_is_not_closed(wallet: Wallet) -> None:
    publish_all(wallet.installation)
    wallet.installation.high_water.path.unlink()
    with pytest.raises(LogConflictError, match="high-water"):
        close(wallet)
    wallet.answer("carol", CREDIT_SCORE)


def test_the_witnesses_are_asked_for_the_end(wallet: Wallet) -> None:
    with pretended(honest) as line:
        use(wallet, line)
        assert close(wallet).finished
    assert lines_under(on_disk(wallet)) == 1
    begin(wallet)
    assert lines_under(previous(wallet)) == 1


def test_a_witness_that_is_down_does_not_hold_up_the_successor(wallet: Wallet) -> None:
    with pretended(honest) as line:
        use(wallet, line)
    assert close(wallet).finished  # it was asked, and said nothing
    begin(wallet)
    assert lines_under(previous(wallet)) == 0


def test_the_export_of_a_closed_log_has_its_end_though_a_witness_fell_silent(
    wallet: Wallet, tmp_path: Path
) -> None:
    with pretended(honest) as line:
        use(wallet, line)
        assert show(wallet)
    wallet.answer("carol", CREDIT_SCORE)
    closed = close(wallet)  # the witness is down
    folders = [tmp_path / "before", tmp_path / "after"]
    assert export(wallet.installation, folders[0]).size == closed.size
    begin(wallet)
    old = wallet.installation.of_log(ORIGIN)
    assert export(old, folders[1]).size == closed.size

    for folder in folders:
        prove(wallet, folder)


def test_a_log_that_is_followed_already_says_so_when_closed_again(
    wallet: Wallet,
) -> None:
    follow(wallet)
    before = wallet.contents()

    with pytest.raises(InvalidRequestError, match=r"followed by .*nothing to do") as e:
        close(wallet)
    assert e.value.code == "followed"
    assert repr(ORIGIN) in str(e.value)
    with pytest.raises(InvalidRequestError, match="expected a new name") as e:
        close(wallet, ORIGIN)
    assert e.value.code == "successor"
    assert wallet.contents() == before


def _close_in(wallet: Wallet, _: object) -> None:
    close(wallet)


@pytest.mark.requirement("R119")
def test_a_closing_that_is_killed_at_any_point_is_done_by_the_next(
    wallet: Wallet,
) -> None:
    publish_all(wallet.installation)
    whole = wallet.folder.with_name("whole")
    wallet.installation.ledger._database.dispose()
    shutil.copytree(wallet.folder, whole)
    at, killed = 0, True
    with pretended(honest) as line:
        while killed:
            at += 9
            shutil.rmtree(wallet.folder)
            shutil.copytree(whole, wallet.folder)
            again = Wallet(wallet.folder, clock=wallet.clock)
            use(again, line)
            killed, _ = crash(partial(_close_in, again), at=at)
            try:
                restarted = Wallet(wallet.folder, clock=wallet.clock)
            except ConfigurationError:
                restarted = again  # it was done: only the successor may start
            use(restarted, line)
            restarted.clock.now += 60_000
            assert close(restarted).finished
            assert len(restarted.leaves("closure")) == 1
            folder = restarted.logs
            begin(restarted)
            restarted.share("alice", CREDIT_SCORE)
            prove(restarted, folder)
    assert at > 60


# -- the one that follows -------------------------------------------------------------


def previous(wallet: Wallet) -> bytes:
    """The checkpoint that the newest log's genesis names."""
    genesis = wallet.leaves("genesis")[-1]
    assert genesis.body["previous"]["reason"] == REASON
    return decode_base64(genesis.body["previous"]["checkpoint"].encode())


def test_the_new_log_begins_with_the_end_of_the_old_one(wallet: Wallet) -> None:
    old = follow(wallet)

    note = previous(wallet)
    assert note == (old / "checkpoint").read_bytes()
    pinned = parse_checkpoint_text(split_note(note).text)
    assert (pinned.origin, pinned.size) == (ORIGIN, 9)
    new = [leaf for leaf in wallet.leaves() if leaf.log == NEW]
    assert [leaf.kind.value for leaf in new] == ["genesis", "key", "key", "notice"]
    (logged,) = {leaf.body["notice"] for leaf in wallet.leaves("notice")}
    assert wallet.installation.history.notice(logged)
    prove(wallet, old)


@pytest.mark.requirement("R97")
def test_no_key_of_the_closed_log_is_used_again(wallet: Wallet) -> None:
    old = {each.vkey for each in wallet.installation.keys.ranges()}
    before = files(wallet.folder / "keys")
    follow(wallet)
    new = {each.vkey for each in wallet.installation.keys.ranges()}
    halves = [{each.split("+", 2)[2] for each in vkeys} for vkeys in (old, new)]
    assert halves[0].isdisjoint(halves[1])
    after = files(wallet.folder / "keys")
    assert before.items() <= after.items()
    own = NEW.replace("/", "_")
    assert {f"{own}/collector-a1.pem", f"{own}/log.pem"} < after.keys()


def named(path: Path) -> KeySource:
    return parse_key_uri(str(path), label="a key")


@pytest.mark.parametrize("role", ["collector", "log"])
def test_a_key_of_the_closed_log_that_is_configured_is_refused(
    wallet: Wallet, role: str
) -> None:
    keys = wallet.folder / "keys"
    close(wallet)
    wallet.sources = {
        "collector": KeySources(collector=(named(keys / "collector-a1.pem"),)),
        "log": KeySources(log=(named(keys / "log.pem"),)),
    }[role]
    with pytest.raises(ConfigurationError, match="was closed, is given"):
        begin(wallet)
    assert not wallet.sql("SELECT * FROM consent_log WHERE origin = ?", NEW)


def test_in_production_the_new_keys_are_made_first(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path, publishes=True)
    keys = tmp_path / "kept"
    places = replace(
        wallet.places, keys=keys, database_uri=f"sqlite:///{tmp_path}/p.db"
    )
    make_key_files(keys)

    def start_as(origin: str) -> None:
        wallet.installation = start(
            wallet.declared, places, origin=origin, production=True
        )

    start_as(ORIGIN)
    close(wallet)
    with pytest.raises(ConfigurationError, match=f"keys new --successor {NEW}"):
        start_as(NEW)
    made = make_key_files(keys, successor=NEW)
    assert [path.name for path in made] == ["collector-a1.pem", "log.pem"]
    start_as(NEW)
    assert wallet.installation.keyring.collector.name == f"{NEW}/collector/a1"


def test_a_lost_secret_is_not_made_anew_for_the_new_log(wallet: Wallet) -> None:
    close(wallet)
    (wallet.folder / "keys/secret.key").unlink()
    with pytest.raises(ConfigurationError, match="put back the key files"):
        begin(wallet)
    assert not (wallet.folder / "keys/secret.key").exists()


def test_the_closed_log_is_not_started_and_says_what_is(wallet: Wallet) -> None:
    close(wallet)
    with pytest.raises(ConfigurationError, match=f"CONSENTKIT_LOG_ORIGIN.*'{NEW}'"):
        Wallet(wallet.folder)
    begin(wallet)
    with pytest.raises(ConfigurationError, match=f"CONSENTKIT_LOG_ORIGIN.*'{NEW}'"):
        Wallet(wallet.folder)


def test_another_name_than_the_closure_says_is_refused(wallet: Wallet) -> None:
    close(wallet)
    with pytest.raises(ConfigurationError, match=f"followed by '{NEW}'"):
        begin(wallet, "wallet.example/consent/2027")


def test_whoever_guesses_goes_on_with_the_log_that_was_named(wallet: Wallet) -> None:
    close(wallet)
    for _ in range(2):
        guessed = start(
            wallet.declared,
            wallet.places,
            origin="wallet.example/consent/2031",
            origin_is_a_guess=True,
        )
        assert guessed.origin == NEW


def test_a_successor_waits_until_all_of_the_closed_log_is_published(
    wallet: Wallet,
) -> None:
    with wallet.installation.ledger.write() as transaction:
        fields: dict[str, JSON] = {"reason": REASON, "successor": NEW}
        transaction.append(
            sign_plain_leaf(
                wallet.installation, Kind.CLOSURE, fields, now=wallet.clock()
            )
        )
        transaction.close(wallet.clock())  # and here it was killed
    with pytest.raises(ConfigurationError, match="not all of it is published"):
        begin(wallet)
    assert not (wallet.folder / "keys" / NEW.replace("/", "_")).exists()
    finishing = Wallet(wallet.folder, clock=wallet.clock)  # for that it may start
    assert close(finishing).finished
    begin(finishing)


def test_eight_processes_that_start_at_once_begin_one_successor(
    wallet: Wallet,
) -> None:
    old = wallet.logs
    close(wallet)
    answers = at_once(begin_at, [(wallet.places, NEW)] * 8)
    assert len({tuple(vkeys) for vkeys in answers}) == 1
    begin(wallet)
    assert len(wallet.leaves("genesis")) == 2
    prove(wallet, old)
