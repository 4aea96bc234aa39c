"""Rows that are added past the app just while something else is done with the log."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.verify import verify_log
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import SubjectHandle
from consentkit.errors import LogConflictError
from consentkit.service import closing
from consentkit.service import rotating
from consentkit.service.administering import Official
from consentkit.service.administering import administrative_acts
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.opening import open_next
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.service.rotating import retire_key
from consentkit.service.rotating import rotate_key
from consentkit.store import left_out
from consentkit.store import numbers
from consentkit.store.dropping import what_is_kept
from consentkit.store.keys import COLLECTOR
from consentkit.store.keys import LOG
from consentkit.store.logs import find_logs
from consentkit.store.roles import Role
from tests.postgres_server import on_postgres
from tests.service.periods import OFFICER
from tests.service.periods import SECOND
from tests.service.strangers import SIGNED
from tests.service.strangers import Stranger
from tests.service.strangers import add
from tests.service.strangers import as_an_act
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from consentkit.log.leaf import Leaf
    from tests.service.roles import Roled

BY = Official("dpo@wallet.example", "nobody's entry")


def again(wallet: Wallet) -> Wallet:
    """The same app, started anew."""
    return Wallet(wallet.folder, uri=wallet.uri, clock=wallet.clock)


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("role", [COLLECTOR, LOG])
def test_rows_that_come_while_a_key_is_changed_move_no_index(
    roled: Roled, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, uri = roled.owner, roled.uri_of(Role.WEB)
    trust, sign = owner.trust, rotating.sign_plain_leaf
    stolen = owner.installation.keyring.collector

    def sign_late(*given: Any, **fields: Any) -> Leaf:
        add(uri, Stranger(), as_an_act(stolen), as_an_act(stolen))
        return sign(*given, **fields)

    with monkeypatch.context() as patch:
        patch.setattr(rotating, "sign_plain_leaf", sign_late)
        rotate_key(owner.installation, role, by=BY)
    after = again(owner)
    after.answer("bob", CREDIT_SCORE)
    publish_all(after.installation)
    assert after.installation.publications.left_out() == 1
    if role == COLLECTOR:
        with monkeypatch.context() as patch:
            patch.setattr(rotating, "sign_plain_leaf", sign_late)
            retire_key(after.installation, "a1", by=BY)
        after.answer("eve", CREDIT_SCORE)
        publish_all(after.installation)
        # What the old key signed gets no place behind its end.
        assert after.installation.publications.left_out() == 4
    assert len(after.leaves("choice")) == (2 if role == COLLECTOR else 1)
    verify_log(FolderSource(after.logs), trust=trust)


@pytest.mark.requirement("R97")
def test_a_closure_that_comes_while_the_log_is_closed_is_not_its_end(
    roled: Roled, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, uri = roled.owner, roled.uri_of(Role.WEB)
    genuine = owner.answer("alice", CREDIT_SCORE)
    forged = SIGNED["a closure"](genuine, owner.installation.keyring.collector)
    folder, trust = owner.installation.log_folder, owner.trust
    record = closing.record_admin_act

    def record_late(*given: Any, **fields: Any) -> Leaf:
        add(uri, forged)
        return record(*given, **fields)

    monkeypatch.setattr(closing, "record_admin_act", record_late)
    assert open_next(owner.installation, SECOND, by=OFFICER).keys
    log = verify_log(FolderSource(folder), trust=trust)
    assert (log.kinds[Kind.CLOSURE], log.kinds[Kind.CHOICE]) == (1, 1)
    (first, *_) = find_logs(owner.installation.database)
    assert first.closure is not None
    assert first.closure.successor == SECOND


def test_rows_in_a_log_that_ended_are_in_nobodys_way(roled: Roled) -> None:
    owner, uri = roled.owner, roled.uri_of(Role.WEB)
    genuine = roled.wallet(Role.WEB).answer("alice", CREDIT_SCORE)
    entries = len(owner.leaves())
    assert open_next(owner.installation, SECOND, by=OFFICER).keys
    kinds = ("choice", "admin", "key", "erasure", "closure")
    add(
        uri,
        *(
            Stranger(kind, handle=genuine.subject, seq=9 + i)
            for i, kind in enumerate(kinds)
        ),
    )
    web = roled.running(Role.WEB, SECOND)
    assert len(web.history.acts(SubjectHandle(str(genuine.subject)))) == 1
    assert list(differences(web)) == []
    assert administrative_acts(web)
    kept = what_is_kept(web.database, 1, Millis(0))
    assert kept["entries that are not old enough"] == entries + 2  # how it ended


def test_a_flood_does_not_keep_a_publisher_from_ending(
    roled: Roled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However fast rows come, one publication looks at so many and no more."""
    monkeypatch.setattr("consentkit.store.publications._BATCH", 20)
    monkeypatch.setattr(numbers, "_AT_ONCE", 10)
    publisher, uri = roled.running(Role.PUBLISHER), roled.uri_of(Role.WEB)
    publish_all(publisher)
    judge, calls = left_out.judge, []

    def judge_while_more_come(*given: Any) -> Any:
        calls.append(1)
        add(uri, *[Stranger()] * 10)
        return judge(*given)

    monkeypatch.setattr(left_out, "judge", judge_while_more_come)
    add(uri, *[Stranger()] * 10)
    publish_all(publisher)
    assert len(calls) == 2
    assert publisher.publications.pending() == 10


def test_nobody_goes_on_after_an_erasure(roled: Roled) -> None:
    """Whoever puts the row of an erased person back gets no entry out of us."""
    web, uri = roled.wallet(Role.WEB), roled.uri_of(Role.WEB)
    web.answer("alice", CREDIT_SCORE)
    (kept,) = on_postgres(uri, "SELECT * FROM consent_subject")
    erase(web.installation, Erasing("alice", "request"))
    (last,) = web.leaves("erasure")
    on_postgres(
        uri,
        "INSERT INTO consent_subject VALUES (%s, %s, %s, %s, %s, %s) RETURNING 1",
        *(*kept[:3], (last.seq or 0) + 1, last.hash.hex(), kept[5]),
    )
    with pytest.raises(LogConflictError):
        web.answer("alice", CREDIT_SCORE)
    roled.owner.verify()
