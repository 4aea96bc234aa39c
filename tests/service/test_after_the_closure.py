"""What somebody with the database puts behind a closure is no part of the log."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.verify import verify_log
from consentkit.core.act import Kind
from consentkit.errors import LogUnavailableError
from consentkit.log.merkle import hash_leaf
from consentkit.service.high_water import HighWater
from consentkit.service.publishing import publish_all
from consentkit.store.logs import find_logs
from tests.service.two_logs import NEW
from tests.service.two_logs import begin
from tests.service.two_logs import close
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

ENGINES = ("sqlite", "postgresql")


@pytest.fixture
def wallet(tmp_path: Path, engine: str, request: pytest.FixtureRequest) -> Wallet:
    uri = ""
    if engine == "postgresql":
        uri = request.getfixturevalue("postgres").new_tables()
    wallet = Wallet(tmp_path, uri=uri)
    wallet.answer("alice", CREDIT_SCORE)
    return wallet


def put_behind(wallet: Wallet) -> None:
    data = b"it comes too late"
    marks = ["%s" if wallet.uri else "?"] * 5
    wallet.sql(
        "INSERT INTO consent_leaf (log, id, kind, hash, bytes, time) "  # noqa: S608  marks alone
        f"VALUES (1, {', '.join(marks)}) RETURNING id",
        *(secrets.token_hex(16), Kind.CHOICE.value, hash_leaf(data), data, 1),
    )


def check_ended(wallet: Wallet, size: int) -> None:
    publications = wallet.installation.publications
    assert publish_all(wallet.installation) == size
    assert publications.pending() == 0
    assert publications.waiting_since() is None
    last = wallet.sql("SELECT kind FROM consent_leaf ORDER BY idx IS NULL, idx DESC")[0]
    assert last == (Kind.CLOSURE.value,)
    source = FolderSource(wallet.installation.log_folder)
    assert verify_log(source, trust=wallet.trust).size == size
    (found,) = find_logs(wallet.installation.database)
    assert found.closure is not None
    assert found.closure.successor == NEW
    assert begin(wallet)


@pytest.mark.requirement("R97")
def test_a_leaf_behind_the_published_closure_is_never_published(wallet: Wallet) -> None:
    closed = close(wallet)
    put_behind(wallet)
    check_ended(wallet, closed.size)


@pytest.mark.requirement("R97")
def test_a_leaf_behind_a_closure_that_waits_is_not_published_with_it(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_all(wallet.installation)

    def fail(*_: object) -> None:
        raise LogUnavailableError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(HighWater, "write", fail)
        with pytest.raises(LogUnavailableError):
            close(wallet)
    size = len(wallet.leaves())
    put_behind(wallet)
    check_ended(wallet, size)
