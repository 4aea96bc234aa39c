"""What is added past the app by a role that may only add rows, is in no log."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.verify import verify_log
from consentkit.core.act import Kind
from consentkit.core.act import SubjectHandle
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.log.note import sign_note
from consentkit.service.administering import Official
from consentkit.service.administering import administrative_acts
from consentkit.service.examining_log import LOG
from consentkit.service.finding import Level
from consentkit.service.leaving_out import leave_out
from consentkit.service.opening import open_next
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.service.rotating import rotate_key
from consentkit.store.keys import COLLECTOR
from consentkit.store.roles import Role
from tests.postgres_server import on_postgres
from tests.service.periods import OFFICER
from tests.service.periods import SECOND
from tests.service.strangers import GARBAGE
from tests.service.strangers import SIGNED
from tests.service.strangers import UNSIGNED
from tests.service.strangers import Stranger
from tests.service.strangers import add
from tests.service.strangers import add_here
from tests.service.strangers import hash_of
from tests.service.strangers import of_leaf
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.roles import Roled
    from tests.service.strangers import Forge

BY = Official("dpo@wallet.example", "nobody's entry")


def of_log(wallet: Wallet, what: str) -> list[Level]:
    return [each.level for each in LOG[what](wallet.installation)]


def left_out(roled: Roled) -> int:
    return roled.owner.installation.publications.left_out()


FORGED: dict[str, Forge] = {**UNSIGNED, **SIGNED}


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("what", FORGED)
def test_what_the_app_did_not_write_is_left_out_and_the_log_goes_on(
    settled: Roled, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    roled, forge, before = settled, FORGED[what], left_out(settled)
    web, publisher = roled.wallet(Role.WEB), roled.running(Role.PUBLISHER)
    genuine = web.answer(what, CREDIT_SCORE)
    size = publish_all(publisher)
    stranger = forge(genuine, web.installation.keyring.collector)
    add(roled.uri_of(Role.WEB), stranger)
    for role in (Role.WEB, Role.PUBLISHER):  # before anybody has left it out
        roled.running(role).close()
    after = web.answer(what, SHOPS)
    caplog.clear()

    assert (publish_all(publisher) or 0) > (size or 0)

    assert left_out(roled) == before + 1
    (line,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert line.event == "entries-left-out"  # type: ignore[attr-defined]
    assert what not in line.getMessage()
    assert of_log(roled.owner, "left-out") == [Level.WARNING]
    assert of_log(roled.owner, "publisher") == [Level.FINE]
    assert list(differences(roled.owner.installation)) == []
    assert roled.owner.verify().size == publisher.publications.latest()[0]  # type: ignore[index]
    handle = SubjectHandle(str(after.subject))
    assert web.installation.history.leaf(after.id, handle) is not None
    assert len(web.installation.history.acts(handle)) == 2
    assert web.check(what, SHOPS)
    roled.running(Role.WEB).close()


def test_nothing_is_said_of_a_log_without_strangers(roled: Roled) -> None:
    roled.wallet(Role.WEB).answer("alice", CREDIT_SCORE)
    publish_all(roled.running(Role.PUBLISHER))
    assert left_out(roled) == 0
    assert of_log(roled.owner, "left-out") == [Level.FINE]


def test_more_strangers_than_one_publication_takes(
    roled: Roled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consentkit.store.publications._BATCH", 3)
    publisher = roled.running(Role.PUBLISHER)
    size = publish_all(publisher) or 0
    add(roled.uri_of(Role.WEB), *[Stranger()] * 10)
    roled.owner.answer("alice", CREDIT_SCORE)
    while publisher.publications.pending():
        publish_all(publisher)
    assert publish_all(publisher) == size + 2
    assert left_out(roled) == 10


def test_a_person_whose_place_was_taken_is_told_so(roled: Roled) -> None:
    """Nothing is answered as stored that could not be in the log."""
    web, publisher = roled.wallet(Role.WEB), roled.running(Role.PUBLISHER)
    first = web.answer("alice", CREDIT_SCORE)
    taken = Stranger(handle=first.subject, seq=1)
    add(roled.uri_of(Role.WEB), taken)
    publish_all(publisher)
    with pytest.raises(LogConflictError):
        web.answer("alice", SHOPS)
    web.answer("bob", SHOPS)
    publish_all(publisher)
    assert list(differences(roled.owner.installation)) == []
    roled.owner.verify()


@pytest.mark.parametrize(
    "change", ["seq = seq + 5", f"head = '{'0' * 64}'", "seq = seq - 1, head = ''"]
)
def test_nobody_goes_on_from_an_entry_that_is_not_there(
    roled: Roled, change: str
) -> None:
    web = roled.wallet(Role.WEB)
    web.answer("alice", CREDIT_SCORE)
    on_postgres(roled.uri_of(Role.WEB), f"UPDATE consent_subject SET {change}")  # noqa: S608  constants
    before = len(roled.owner.leaves())
    with pytest.raises(LogConflictError):
        web.answer("alice", CREDIT_SCORE)
    assert len(roled.owner.leaves()) == before


def test_nobody_goes_on_from_a_stranger_that_waits(roled: Roled) -> None:
    web, publisher = roled.wallet(Role.WEB), roled.running(Role.PUBLISHER)
    first = web.answer("alice", CREDIT_SCORE)
    size = publish_all(publisher) or 0
    stranger = Stranger(handle=first.subject, seq=1)
    add(roled.uri_of(Role.WEB), stranger)
    on_postgres(
        roled.uri_of(Role.WEB),
        "UPDATE consent_subject SET seq = 2, head = %s",
        hash_of(stranger),
    )
    for _ in range(2):
        with pytest.raises(LogConflictError):
            web.answer("alice", CREDIT_SCORE)
        assert publish_all(publisher) == size
    assert left_out(roled) == 1
    roled.owner.verify()


def test_what_went_on_from_a_stranger_by_an_older_version_is_left_out_with_it(
    roled: Roled,
) -> None:
    web, publisher = roled.wallet(Role.WEB), roled.running(Role.PUBLISHER)
    first = web.answer("alice", CREDIT_SCORE)
    size = publish_all(publisher)
    stranger = Stranger(handle=first.subject, seq=1)
    body = {**first.body, "seq": 2, "prev": hash_of(stranger), "id": "f" * 32}
    body["challenge"] = "f" * 64
    after = read_leaf(sign_leaf(body, web.installation.keyring.collector))
    add(roled.uri_of(Role.WEB), stranger, of_leaf(after))
    assert publish_all(publisher) == size
    assert left_out(roled) == 2
    roled.owner.verify()


def test_a_key_is_changed_while_strangers_wait(roled: Roled) -> None:
    """Keys count from the next number on: only what gets one counts."""
    owner = roled.owner
    trust = owner.trust
    add(roled.uri_of(Role.WEB), Stranger(), Stranger("key"))
    owner.answer("alice", CREDIT_SCORE)
    new = rotate_key(owner.installation, COLLECTOR, by=BY)
    add(roled.uri_of(Role.WEB), Stranger())
    after = Wallet(owner.folder, uri=owner.uri, clock=owner.clock)
    signed = after.answer("bob", CREDIT_SCORE)
    assert signed.claimed == (new.name,)
    publish_all(after.installation)
    assert left_out(roled) == 3
    verify_log(FolderSource(after.logs), trust=trust)


def test_a_log_ends_while_strangers_wait(roled: Roled) -> None:
    """One that says it is the end cuts off nothing, and the next log begins."""
    owner, ends = roled.owner, Stranger(Kind.CLOSURE.value)
    add(roled.uri_of(Role.WEB), ends, ends)
    owner.answer("alice", CREDIT_SCORE)
    folder, trust = owner.installation.log_folder, owner.trust
    assert open_next(owner.installation, SECOND, by=OFFICER).keys
    log = verify_log(FolderSource(folder), trust=trust)
    assert log.kinds[Kind.CLOSURE] == 1


def test_what_a_newer_version_may_have_signed_stops_the_log(roled: Roled) -> None:
    """It may be somebody's answer: left out only if somebody says so."""
    owner, publisher = roled.owner, roled.running(Role.PUBLISHER)
    size = publish_all(publisher) or 0
    text = b'consentkit/leaf@v2\n{"kind":"choice"}\n'
    newer = Stranger(data=sign_note(text, owner.installation.keyring.collector))
    add(roled.uri_of(Role.WEB), newer)
    owner.answer("alice", CREDIT_SCORE)
    for _ in range(2):
        with pytest.raises(LogConflictError, match="If a newer version wrote it") as no:
            publish_all(publisher)
    assert publisher.publications.latest()[0] == size  # type: ignore[index]
    assert hash_of(newer) in str(no.value)
    told = leave_out(publisher, hash_of(newer), by=BY)
    assert told.hash == hash_of(newer)
    assert publish_all(publisher) == size + 3  # an answer, its notice, who decided
    owner.verify()


def test_what_is_longer_than_an_entry_is_not_even_fetched(
    roled: Roled, caplog: pytest.LogCaptureFixture
) -> None:
    add(roled.uri_of(Role.WEB), Stranger(data=b"x" * 10_000_000))
    publish_all(roled.running(Role.PUBLISHER))
    (line,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert "longer than an entry may be" in line.getMessage()


def test_a_role_that_may_change_what_it_adds_is_not_trusted_to_have_only_added(
    roled: Roled,
) -> None:
    """It may be an answer that was given and then changed: somebody has to look."""
    on_postgres(roled.uri, 'GRANT UPDATE (bytes) ON consent_leaf TO "consent-web"')
    add(roled.uri_of(Role.WEB), Stranger())
    with pytest.raises(LogConflictError, match="nothing was signed"):
        publish_all(roled.running(Role.PUBLISHER))
    assert left_out(roled) == 0


def test_a_stranger_stops_a_log_that_has_no_roles(tmp_path: Path) -> None:
    """Whoever could add it could change everything else: somebody has to look."""
    wallet = Wallet(tmp_path, damaged=True)
    genuine = wallet.answer("alice", CREDIT_SCORE)
    size = publish_all(wallet.installation) or 0
    add_here(wallet.sql, Stranger())
    wallet.answer("bob", CREDIT_SCORE)
    with pytest.raises(LogConflictError, match="nothing was signed") as stopped:
        publish_all(wallet.installation)
    assert "alice" not in str(stopped.value)
    assert hash_of(Stranger()) in str(stopped.value)
    for wrong in (hash_of(Stranger())[1:], "0" * 64, genuine.hash.hex()):
        with pytest.raises(InvalidRequestError) as refused:
            leave_out(wallet.installation, wrong, by=BY)
        assert refused.value.code == "left-out"
    told = leave_out(wallet.installation, hash_of(Stranger()), by=BY)
    assert told.reason == "it is no entry"
    (act,) = administrative_acts(wallet.installation)
    assert (act.action, act.target) == ("leave-out", told.hash)
    assert publish_all(wallet.installation) == size + 2
    wallet.prove()


def test_an_answer_that_waits_is_left_out_by_nobody(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    waits = wallet.answer("alice", CREDIT_SCORE)
    with pytest.raises(InvalidRequestError, match="nothing speaks against"):
        leave_out(wallet.installation, waits.hash.hex(), by=BY)
    assert not administrative_acts(wallet.installation)
    publish_all(wallet.installation)
    wallet.prove()


def test_a_row_that_lies_about_a_genuine_leaf_stops_the_log(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path, damaged=True)
    leaf = wallet.answer("alice", CREDIT_SCORE)
    row = of_leaf(leaf)._replace(id="", handle=None, seq=None, challenge=None)
    add_here(wallet.sql, row)
    with pytest.raises(LogConflictError, match="not what its row says"):
        publish_all(wallet.installation)


def test_a_copy_of_an_entry_that_waits_is_told_from_it(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path, damaged=True)
    leaf = wallet.answer("alice", CREDIT_SCORE)
    add_here(wallet.sql, Stranger(data=leaf.data))
    with pytest.raises(LogConflictError, match=leaf.hash.hex()):
        publish_all(wallet.installation)
    told = leave_out(wallet.installation, leaf.hash.hex(), by=BY)
    assert told.reason == "it is not what its row says"
    wallet.prove()


def test_a_key_row_that_cannot_be_read_keeps_no_process_from_starting(
    tmp_path: Path,
) -> None:
    wallet = Wallet(tmp_path, damaged=True)
    add_here(wallet.sql, Stranger("key", GARBAGE))
    again = replace(wallet)
    with pytest.raises(LogConflictError, match="nothing was signed"):
        publish_all(again.installation)
    leave_out(again.installation, hash_of(Stranger("key")), by=BY)
    publish_all(again.installation)
    again.prove()
