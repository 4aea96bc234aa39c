"""What is wrong with an installation is found, said once, and of no person."""

from __future__ import annotations

import shutil
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psycopg
import pytest

from consentkit.core.act import Millis
from consentkit.errors import LogUnavailableError
from consentkit.service import examining_log
from consentkit.service.administering import Official
from consentkit.service.closing import close_log
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.examining import AREAS
from consentkit.service.examining import examine_installation
from consentkit.service.finding import Level
from consentkit.service.publishing import publish_all
from consentkit.service.suspending import suspend
from consentkit.store.inspecting import Durability
from consentkit.store.inspecting import Inspection
from consentkit.store.inspecting import Journal
from consentkit.store.inspecting import Standby
from consentkit.store.roles import Role
from consentkit.store.witnesses import Standing
from tests.postgres_server import on_postgres
from tests.service.roles import NAMES
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from consentkit.service.installation import Installation
    from tests.postgres_server import PostgresServer
    from tests.service.roles import Roled

BY = Official("dpo@wallet.example", "a test")
SOUND = Durability("on", "on", "", "on", "on", is_replica=False)


def found(installation: Installation, level: Level) -> dict[str, str]:
    """Everything of that level, by area and part; several of one part in one text."""
    told: dict[str, str] = {}
    for each in examine_installation(installation):
        if each.level is level:
            name = f"{each.area}, {each.part}"
            told[name] = f"{told.get(name, '')}{each.came}; {each.expected}; {each.do}"
    return told


def faults(wallet: Wallet) -> dict[str, str]:
    return found(wallet.installation, Level.FAULT)


def warnings(wallet: Wallet) -> dict[str, str]:
    """Those of development aside, which every installation of a test has."""
    told = found(wallet.installation, Level.WARNING)
    return {
        name: text
        for name, text in told.items()
        if name not in ("keys, origin", "log, high-water")
    }


@pytest.fixture
def published(wallet: Wallet) -> Wallet:
    wallet.answer("alice", CREDIT_SCORE)
    publish_all(wallet.installation)
    return wallet


def test_everything_is_looked_at_and_is_fine(published: Wallet) -> None:
    assert (faults(published), warnings(published)) == ({}, {})
    fine = found(published.installation, Level.FINE)
    on_postgres_alone = {"database, role", "database, standbys", "database, clock"}
    on_request = {"log, witnesses", "log, time-stamps"}
    assert fine.keys() | {"keys, origin", "log, high-water"} == {
        f"{area}, {part}" for area, looks in AREAS.items() for part in looks
    } - on_postgres_alone - on_request - {"database, pooler"}


def test_tables_that_are_not_as_they_were_made(published: Wallet) -> None:
    published.sql("UPDATE consent_alembic_version SET version_num = '0007'")
    published.unguard("delete")

    told = faults(published)

    assert told["database, tables"].startswith("of version 0007; 00")
    assert "consent_leaf_no_delete" in told["database, leaves"]


def test_a_publisher_that_is_away(published: Wallet) -> None:
    published.answer("bob", CREDIT_SCORE)
    assert warnings(published) == {}
    published.clock.now += 61_000
    assert "1 wait, the first for 61 s" in warnings(published)["log, publisher"]
    published.clock.now += DAY
    assert (
        "'flask consent publish --follow' runs" in faults(published)["log, publisher"]
    )
    published.damaged = True  # its promise is broken, and a verifier says so


def test_a_high_water_file_that_is_lost_and_a_database_that_is_old(
    published: Wallet,
) -> None:
    path = published.installation.high_water.path
    path.rename(path.with_suffix(".lost"))
    told = found(published.installation, Level.WARNING)["log, high-water"]
    assert "is not here" in told
    path.with_suffix(".lost").rename(path)

    shutil.copy(published.file, published.folder / "backup")
    published.answer("bob", CREDIT_SCORE)
    publish_all(published.installation)
    published.installation.close()
    shutil.copy(published.folder / "backup", published.file)

    assert "does not hold that many" in faults(published)["log, high-water"]
    published.damaged = True


def test_files_of_the_log_that_are_gone_or_old(published: Wallet) -> None:
    checkpoint = published.logs / "checkpoint"
    old = checkpoint.read_bytes()
    checkpoint.unlink()
    assert "holds no checkpoint" in warnings(published)["log, files"]

    checkpoint.write_bytes(old)
    published.answer("bob", CREDIT_SCORE)
    publish_all(published.installation)
    checkpoint.write_bytes(old)
    assert "is not the newest" in warnings(published)["log, files"]


@pytest.mark.parametrize(("free", "level"), [(50, "fault"), (500, "warning")])
def test_a_disk_that_fills_up(
    published: Wallet, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    usage = SimpleNamespace(disk_usage=lambda _: SimpleNamespace(free=free << 20))
    monkeypatch.setattr(examining_log, "shutil", usage)
    assert f"{free} MB free" in found(published.installation, Level(level))["log, disk"]


def test_keys_that_others_may_read(published: Wallet) -> None:
    secret = published.folder / "keys" / "secret.key"
    secret.chmod(0o644)
    assert faults(published)["keys, files"].startswith(
        f"{secret} can be read by others"
    )
    secret.chmod(0o600)


def test_a_witness_that_is_silent(published: Wallet) -> None:
    installation = published.installation
    cosigner = SimpleNamespace(name="w.example", key="w.example+1")
    watched = replace(installation, cosigners=(cosigner,))  # type: ignore[arg-type]
    installation.witnesses.keep("w.example+1", Standing(failures=3, fault="down"), None)
    told = found(watched, Level.WARNING)["log, witnesses"]
    assert told.startswith("w.example: down; a cosignature each minute")


def test_what_is_owed(published: Wallet) -> None:
    published.share("alice", CREDIT_SCORE)
    published.revoke("alice")
    published.answer("bob", CREDIT_SCORE)
    until = Millis(published.clock.now + 1_000)
    erase(published.installation, Erasing("bob", "request", BY, until))
    suspend(published.installation, "credit-score", by=BY)
    published.sql("UPDATE consent_log SET residue = 'an erasure'")
    published.clock.now += 2 * DAY

    told = warnings(published)

    assert "0 messages given up, 2 wait" in told["duties, deliveries"]
    assert "1 legal holds are over" in told["duties, holds"]
    assert "suspended: credit-score/*" in told["duties, suspensions"]
    assert "run 'flask consent sweep'" in told["database, erased"]
    published.damaged = True  # nobody published for two days


def test_a_log_that_is_closed(published: Wallet) -> None:
    follows = "wallet.example/consent/2027"
    close_log(published.installation, successor=follows, reason="period-ended", by=BY)
    assert "has no other" in warnings(published)["log, log"]


def test_sqlite_that_loses_pages(
    published: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal("WAL", "DELETE", "3.40.1")
    monkeypatch.setattr(Inspection, "journal", lambda _self: journal)
    assert "in WAL mode loses" in faults(published)["database, engine"]


def test_what_cannot_be_looked_at_is_said_and_the_rest_is_looked_at(
    published: Wallet,
) -> None:
    published.sql("DROP TABLE consent_delivery")

    told = warnings(published)

    assert told["duties, deliveries"].startswith("could not be looked at: the consent")
    assert len(found(published.installation, Level.FINE)) > 10
    published.damaged = True


def test_where_the_database_does_not_answer_nothing_is_looked_at(
    published: Wallet,
) -> None:
    published.sql("DROP TABLE consent_state")
    assert faults(published)["database, checks"].startswith("none is answered")
    published.sql("DROP TABLE consent_alembic_version")
    with pytest.raises(LogUnavailableError):
        examine_installation(published.installation)
    published.damaged = True


# -- PostgreSQL -----------------------------------------------------------------------


def test_who_the_process_logs_in_as(roled: Roled) -> None:
    owner, web = roled.owner, roled.wallet(Role.WEB)
    assert "who owns the tables" in warnings(owner)["database, role"]
    assert "can neither" in found(web.installation, Level.FINE)["database, role"]

    owner.sql(f'GRANT DELETE ON consent_leaf TO "{NAMES[Role.WEB]}"')

    assert "may delete leaves" in faults(web)["database, role"]
    publisher = roled.running(Role.PUBLISHER)
    unseen = found(publisher, Level.FINE)
    assert unseen["database, checks"].startswith("not for this database role to see")
    assert unseen["duties, holds"].startswith("not for this database role to see")
    publisher.close()


def test_a_role_that_may_become_the_owner_by_a_role_that_inherits_nothing(
    roled: Roled, postgres: PostgresServer
) -> None:
    owner = roled.owner.uri.partition("//")[2].partition("@")[0]
    with psycopg.connect(postgres.address, autocommit=True) as connection:
        for statement in (
            "CREATE ROLE between_them NOINHERIT",
            f"GRANT {owner} TO between_them",
            "GRANT between_them TO web_process",
        ):
            connection.execute(statement.encode())
    try:
        told = found(roled.running("web"), Level.WARNING)["database, role"]
    finally:
        with psycopg.connect(postgres.address, autocommit=True) as connection:
            connection.execute("DROP ROLE between_them")
    assert "who may become their owner (SET ROLE) and can change the past" in told


@pytest.mark.parametrize(
    ("granted", "told"),
    [
        ("UPDATE (idx)", "number, past the table itself, leaves"),
        ("INSERT", "add, past the table itself, leaves"),
        ("UPDATE (bytes)", "change and number, past the table itself, leaves"),
        ("DELETE", "may delete leaves"),
        ("TRUNCATE", "may truncate leaves"),
    ],
)
def test_what_is_granted_on_one_partition_is_seen(
    settled: Roled, granted: str, told: str
) -> None:
    web = settled.running("web")
    on = f"{granted} ON consent_leaf_1"
    on_postgres(settled.uri, f'GRANT {on} TO "{NAMES[Role.WEB]}"')
    try:
        assert told in found(web, Level.FAULT)["database, role"]
    finally:
        on_postgres(settled.uri, f'REVOKE {on} FROM "{NAMES[Role.WEB]}"')
    assert "can neither change" in found(web, Level.FINE)["database, role"]


@pytest.mark.parametrize("table", ["consent_leaf", "consent_leaf_1"])
@pytest.mark.parametrize("how", ["DISABLE", "ENABLE REPLICA"])
@pytest.mark.parametrize("guard", ["no_update", "no_delete", "no_truncate"])
def test_a_trigger_that_is_switched_off_somewhere_is_seen(
    settled: Roled, table: str, how: str, guard: str
) -> None:
    installation, name = settled.owner.installation, f"consent_leaf_{guard}"
    on_postgres(settled.uri, f"ALTER TABLE ONLY {table} {how} TRIGGER {name}")
    try:
        assert name in found(installation, Level.FAULT)["database, leaves"]
    finally:
        on_postgres(settled.uri, f"ALTER TABLE {table} ENABLE TRIGGER {name}")
    assert "triggers keep them" in found(installation, Level.FINE)["database, leaves"]


def test_what_this_server_and_this_clock_do_not_keep(roled: Roled) -> None:
    """The server of the tests does not wait for its disk, and their clock is old."""
    told = faults(roled.owner)

    assert told.pop("database, durability").startswith("fsync is off; on")
    assert told.pop("database, clock").startswith("the database's clock differs")
    assert told == {}
    roled.owner.sql("DROP TRIGGER consent_leaf_no_truncate ON consent_leaf_1")
    assert "on consent_leaf_1" in faults(roled.owner)["database, leaves"]


@pytest.mark.parametrize(
    ("durability", "standbys", "level", "told"),
    [
        (replace(SOUND, commit="off"), [], "fault", "synchronous_commit is off"),
        (replace(SOUND, by_default="off"), [], "warning", "off by default"),
        (replace(SOUND, is_replica=True), [], "fault", "this is a replica"),
        (
            replace(SOUND, commit="local", standbys="b"),
            [Standby("b", "streaming", "sync", 0.0)],
            "warning",
            "is local, though standbys are named",
        ),
        (replace(SOUND, standbys="b"), [], "fault", "no standby is connected"),
        (
            SOUND,
            [Standby("b", "streaming", "async", 77.7)],
            "warning",
            "is 78 s behind",
        ),
        (SOUND, [Standby("b", None, None, None)], "fine", "only pg_monitor may see"),
        (SOUND, [Standby("b", "streaming", "sync", None)], "fine", "b sync"),
    ],
)
def test_what_a_commit_waits_for(  # noqa: PLR0917  a table's row
    settled: Roled,
    monkeypatch: pytest.MonkeyPatch,
    durability: Durability,
    standbys: list[Standby],
    level: str,
    told: str,
) -> None:
    monkeypatch.setattr(Inspection, "durability", lambda _self: durability)
    monkeypatch.setattr(Inspection, "standbys", lambda _self: standbys)
    answers = found(settled.owner.installation, Level(level))
    said = answers.get("database, durability", "") + answers.get(
        "database, standbys", ""
    )
    assert told in said


@pytest.mark.parametrize(
    ("behind", "level", "told"),
    [
        (1_500, "fine", "checks may read is 1.5 s behind"),
        (77_000, "warning", "checks may read is 77 s behind"),
        (None, "warning", "does not say how old it is"),
    ],
)
def test_how_old_the_answers_of_the_replica_are(
    settled: Roled, behind: int | None, level: str, told: str
) -> None:
    installation = settled.owner.installation
    at = None if behind is None else installation.clock() - behind
    replica = SimpleNamespace(standing=lambda *_: (None, at))
    mirror = SimpleNamespace(replica=replica, close=lambda: None)
    mirrored = replace(installation, mirror=mirror)  # type: ignore[arg-type]

    assert told in found(mirrored, Level(level))["database, standbys"]
