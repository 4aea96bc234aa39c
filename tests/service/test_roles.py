"""Least privilege: each role does its work, and PostgreSQL itself refuses the rest."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.verify import verify_log
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.service.administering import Official
from consentkit.service.archive_folder import FolderArchive
from consentkit.service.archiving import archive_log
from consentkit.service.correcting import Mistake
from consentkit.service.correcting import correct
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.erasing import follow_erasures
from consentkit.service.erasing import sweep
from consentkit.service.health import Health
from consentkit.service.health import examine
from consentkit.service.importing import import_claims
from consentkit.service.invalidating import Taken
from consentkit.service.invalidating import invalidate
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.service.reminding import remind
from consentkit.service.representing import delegate
from consentkit.service.representing import end_delegation
from consentkit.service.suspending import resume
from consentkit.service.suspending import suspend
from consentkit.service.telling import deliver_due
from consentkit.store.database import Database
from consentkit.store.exports import Exports
from consentkit.store.logs import find_logs
from consentkit.store.publications import Publications
from consentkit.store.roles import GRANTS
from consentkit.store.roles import Role
from consentkit.store.roles import grant_roles
from tests.postgres_server import on_postgres
from tests.served.servers import becomes
from tests.service.batches import agreeing
from tests.service.batches import hand_out
from tests.service.batches import share_many
from tests.service.periods import SECOND
from tests.service.periods import next_period
from tests.service.roles import NAMES
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NEW_YEAR
from tests.service.wallet import ORIGIN
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.roles import Roled

BY = Official("dpo@wallet.example", "a test")
DENIED = "42501"
TOMORROW = Millis(NEW_YEAR + DAY)


def _live(web: Wallet) -> None:
    """All that people and officials do in an app, with what it shares of them."""
    installation = web.installation
    said = web.answer("alice", CREDIT_SCORE)
    web.answer("alice", SHOPS)
    web.answer("bob", SHOPS, said=State.REFUSED)
    web.share("alice", CREDIT_SCORE)
    people = agreeing(web, 3)
    with_a_stranger = share_many(web, [*people, "nobody"])
    assert len(hand_out(with_a_stranger)) == len(people)
    web.clock.now += 360 * DAY
    standing = installation.history.statuses("alice")
    assert remind(installation, "alice", standing) == {CREDIT_SCORE}
    given = delegate(
        installation,
        "alice",
        to="lee",
        label="Lee",
        purposes=("credit-score",),
        until=Millis(web.clock.now + DAY),
    )
    end_delegation(installation, "alice", given.id)
    suspend(installation, recipient="acme-credit", by=BY)
    assert web.check("alice", CREDIT_SCORE).reason is Reason.SUSPENDED
    resume(installation, recipient="acme-credit", by=BY)
    assert web.check("alice", CREDIT_SCORE)
    correct(installation, Mistake("alice", said.id), by=BY)
    web.revoke("alice", "shop-offers")
    notice = said.body["notice"]
    assert invalidate(installation, Taken(notice=notice), by=BY).grants == len(people)
    claim = {
        "subject": "carol",
        "purpose": "credit-score",
        "recipient": "acme-credit",
        "state": "refused",
        "time": "2025-03-01T09:30:00Z",
        "source": "old-register",
    }
    lines = io.BytesIO(json.dumps(claim).encode() + b"\n")
    import_claims(installation, lines, by=BY, subject_key=str)
    assert deliver_due(installation, lambda _task: None)
    with installation.ledger.write() as transaction:
        for day in (1, 2):  # a guardian answered, and then somebody knew better
            transaction.represented("carol").set_of_age(Millis(day * DAY))
    erase(installation, Erasing("alice", "request"))
    hold_until = Millis(web.clock.now + DAY)
    erase(installation, Erasing(people[1], "request", BY, hold_until))


@pytest.mark.requirement("R58")
def test_the_whole_life_of_an_answer_needs_no_more_than_the_web_role_has(
    roled: Roled,
) -> None:
    """And the log it leaves, published by another role, holds."""
    web = roled.wallet(Role.WEB)
    _live(web)
    assert examine(web.installation).store is Health.PASS

    publisher = roled.running(Role.PUBLISHER)
    size = publish_all(publisher)
    publisher.close()

    assert size == len(web.leaves())
    assert verify_log(FolderSource(web.logs), trust=web.trust).size == size
    assert list(differences(web.installation)) == []
    assert web.sql("SELECT 1 FROM consent_subject WHERE subject = 'alice'") == []
    assert roled.refusal(Role.WEB, "INSERT INTO consent_bar VALUES ('id', 1)") == ""


def test_an_auditor_reads_the_log_and_can_check_all_of_it(
    roled: Roled, tmp_path: Path
) -> None:
    roled.owner.answer("alice", CREDIT_SCORE)
    size = publish_all(roled.owner.installation)
    database = Database(roled.uri_of(Role.AUDITOR))
    database.upgrade()  # nothing to do, and so no right that it needs

    (log,) = find_logs(database)
    publications = Publications(database, log)
    assert size is not None
    for path, data in publications.files(size):
        (tmp_path / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / path).write_bytes(data)
    ((_, note),) = Exports(database, log).checkpoints(size)
    (tmp_path / "copy" / "checkpoint").write_bytes(note)
    database.dispose()

    verified = verify_log(FolderSource(tmp_path / "copy"), trust=roled.owner.trust)
    assert verified.size == size


PAST = {
    "change a leaf": "UPDATE consent_leaf SET bytes = ''",
    "delete a leaf": "DELETE FROM consent_leaf",
    "truncate the leaves": "TRUNCATE consent_leaf",
    "truncate them in their partition": "TRUNCATE consent_leaf_1",
    "read them past the table": "SELECT 1 FROM consent_leaf_1",
    "drop the leaves": "DROP TABLE consent_leaf",
    "drop a trigger": "DROP TRIGGER consent_leaf_no_update ON consent_leaf",
    "disable the triggers": "ALTER TABLE consent_leaf DISABLE TRIGGER ALL",
    "put a trigger on it": "CREATE TRIGGER t BEFORE INSERT ON consent_leaf "
    "EXECUTE FUNCTION consent_leaf_is_append_only()",
    "change a checkpoint": "UPDATE consent_checkpoint SET note = ''",
    "delete a checkpoint": "DELETE FROM consent_checkpoint",
    "change a key": "UPDATE consent_key SET until = 0",
    "register a key": "INSERT INTO consent_key VALUES (1, 'x+1+y', 'collector', 0)",
    "change a notice": "UPDATE consent_notice SET html = ''",
    "delete a notice": "DELETE FROM consent_notice",
    "close the log": "UPDATE consent_log SET closed = 1",
    "begin a log": "INSERT INTO consent_log VALUES (9, 'o', 0, 0)",
    "say which version it is": "UPDATE consent_alembic_version SET version_num = ''",
    "make a table": "CREATE TABLE consent_mine (x int)",
    "become the owner": "ALTER TABLE consent_leaf OWNER TO CURRENT_USER",
    "open a hold": "UPDATE consent_hold SET until = 0",
}
REFUSED = {
    Role.WEB: {
        "number a leaf": "UPDATE consent_leaf SET idx = 7",
        "insert one with a number": "INSERT INTO consent_leaf "
        "(log, idx, id, kind, hash, bytes, time) VALUES (1, 7, 'x', 'k', '', '', 0)",
        "sign": "INSERT INTO consent_checkpoint VALUES (1, 9, '', 0)",
        "put in a tile": "INSERT INTO consent_tile VALUES (1, 0, 0, '')",
        "delete a tile": "DELETE FROM consent_tile",
        "cosign": "INSERT INTO consent_cosignature VALUES (1, 9, 'w', '', 0)",
        "stamp": "INSERT INTO consent_timestamp VALUES (1, 9, 'a', '', 0)",
        "say how long the log is": "UPDATE consent_log SET size = 9",
        "give somebody another handle": "UPDATE consent_subject SET handle = 'x'",
        "change what was shared": "UPDATE consent_disclosure SET recipient = 'x'",
        "change a proof": "UPDATE consent_batch_entry SET act = NULL",
        "change evidence": "UPDATE consent_evidence SET sealed = ''",
        "shred a hold": "DELETE FROM consent_hold",
        "spend positions": "SELECT setval('consent_leaf_position_seq', 1)",
    },
    Role.PUBLISHER: {
        "insert a leaf with a number": "INSERT INTO consent_leaf "
        "(log, idx, id, kind, hash, bytes, time) VALUES (1, 7, 'x', 'k', '', '', 0)",
        "read who is who": "SELECT subject FROM consent_subject",
        "read answers": "SELECT 1 FROM consent_state",
        "give an answer": "UPDATE consent_state SET state = 'given'",
        "read evidence": "SELECT sealed FROM consent_evidence",
        "resume": "DELETE FROM consent_suspension",
        "read disclosures": "SELECT 1 FROM consent_disclosure",
        "forget somebody": "DELETE FROM consent_subject",
    },
    Role.AUDITOR: {
        "number a leaf": "UPDATE consent_leaf SET idx = 7",
        "insert a leaf": "INSERT INTO consent_leaf (log, id, kind, hash, bytes, time) "
        "VALUES (1, 'x', 'k', '', '', 0)",
        **{
            f"read {name}": f"SELECT 1 FROM consent_{name}"  # noqa: S608  written below
            for name in (
                *("subject", "state", "evidence", "hold", "disclosure", "delivery"),
                *("delegation", "coming_of_age", "reminder", "bar", "batch_stranger"),
            )
        },
    },
}


@pytest.mark.parametrize("role", Role)
def test_what_a_role_is_not_for_postgresql_refuses(settled: Roled, role: Role) -> None:
    settled.owner.answer(role, CREDIT_SCORE)

    done = {
        name: said
        for name, statement in {**PAST, **REFUSED[role]}.items()
        if (said := settled.refusal(role, statement)) != DENIED
    }

    assert done == {}


def test_what_is_tried_above_would_work_for_the_owner(settled: Roled) -> None:
    """Else a misspelt statement would be refused for that."""
    settled.owner.answer("alice", CREDIT_SCORE)
    answers = {}
    for statement in (
        *PAST.values(),
        *(x for each in REFUSED.values() for x in each.values()),
    ):
        with psycopg.connect(settled.uri) as connection:
            try:
                connection.execute(statement.encode())
            except psycopg.errors.IntegrityError:
                continue
            except psycopg.Error as error:
                answers[statement] = str(error)
            finally:
                connection.rollback()
    # A role of itself, and what only a superuser may.
    assert list(answers) == ["ALTER TABLE consent_leaf DISABLE TRIGGER ALL"]


def test_nothing_is_granted_to_everybody(settled: Roled) -> None:
    found = settled.owner.sql(
        "SELECT relname, relacl::text FROM pg_class WHERE relname LIKE 'consent%' "
        "AND relacl::text ~ '[{,]='"
    )

    assert found == []


def test_every_table_is_somebodys_and_is_there(settled: Roled) -> None:
    """A new table that nobody is granted would be noticed first where it is needed."""
    tables = settled.owner.sql(
        "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') "
        "AND relname LIKE 'consent%' AND NOT relispartition"
    )

    granted = {name for grants in GRANTS.values() for name in grants}
    assert granted == {name for (name,) in tables} | {"consent_leaf_position_seq"}


def test_to_run_it_again_changes_nothing_and_takes_back_what_is_too_much(
    roled: Roled,
) -> None:
    owner = roled.owner
    database = owner.installation.database
    assert all(each.granted and not each.taken for each in roled.reports)
    assert all(not each.made for each in grant_roles(database, NAMES))

    owner.sql(f'GRANT DELETE, UPDATE (bytes) ON consent_leaf TO "{NAMES[Role.WEB]}"')
    owner.sql(f'GRANT SELECT ON consent_leaf_1 TO "{NAMES[Role.AUDITOR]}"')
    owner.sql(f'REVOKE INSERT ON consent_checkpoint FROM "{NAMES[Role.PUBLISHER]}"')
    web, publisher, auditor = grant_roles(database, NAMES)

    assert (web.granted, web.taken) == (0, 2)
    assert (publisher.granted, publisher.taken) == (1, 0)
    assert (auditor.granted, auditor.taken) == (0, 1)
    assert {(each.granted, each.taken) for each in grant_roles(database, NAMES)} == {
        (0, 0)
    }


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({Role.WEB: "pg_web"}, "--web-role must be a name"),
        ({Role.WEB: 'a"; DROP TABLE x; --'}, "--web-role must be a name"),
        ({Role.AUDITOR: "public"}, "--auditor-role must be a name"),
        ({Role.WEB: "one", Role.PUBLISHER: "one"}, "a name of its own"),
        ({Role.WEB: "ck"}, "superuser, or the owner"),
    ],
)
def test_a_name_that_cannot_be_meant_is_refused(
    settled: Roled, names: dict[Role, str], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        grant_roles(settled.owner.installation.database, names)


def test_only_the_owner_grants(settled: Roled) -> None:
    database = Database(settled.uri_of(Role.WEB))
    with pytest.raises(ConfigurationError, match="granted by the owner of the tables"):
        grant_roles(database, NAMES)
    database.dispose()

    owner = on_postgres(settled.uri, "SELECT current_user")[0][0]
    with pytest.raises(ConfigurationError, match="superuser, or the owner"):
        grant_roles(settled.owner.installation.database, {Role.WEB: owner})


def test_there_are_no_roles_on_sqlite(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    with pytest.raises(ConfigurationError, match="roles are for PostgreSQL"):
        grant_roles(wallet.installation.database, NAMES)
    Wallet.close_all()


def test_a_web_process_starts_without_any_right_to_change_tables(
    roled: Roled,
) -> None:
    """And says whom to ask, when they are not of its version yet."""
    roled.running(Role.WEB).close()

    roled.owner.sql("UPDATE consent_alembic_version SET version_num = '0008'")
    with pytest.raises(ConfigurationError, match="'flask consent init' as the owner"):
        roled.running(Role.WEB)


def test_an_older_version_refuses_newer_tables_as_any_role(roled: Roled) -> None:
    roled.owner.sql("UPDATE consent_alembic_version SET version_num = '9999'")
    for role in (Role.WEB, Role.PUBLISHER):
        with pytest.raises(ConfigurationError, match="install the one that made them"):
            roled.running(role)


def test_a_process_without_a_grant_is_told_of_it(roled: Roled) -> None:
    web = roled.wallet(Role.WEB)
    web.notice("credit-score")
    roled.owner.sql(f'REVOKE ALL ON consent_evidence FROM "{NAMES[Role.WEB]}"')

    with pytest.raises(LogUnavailableError, match="'flask consent init' once more"):
        web.answer("alice", CREDIT_SCORE)

    assert web.sql("SELECT 1 FROM consent_subject") == []


def test_a_web_role_does_not_begin_to_publish(roled: Roled) -> None:
    """It is said once, where the app starts, and not each second by a thread."""
    wallet = roled.wallet(Role.WEB)
    wallet.publishes = True
    wallet.uri = roled.uri_of(Role.WEB)
    with pytest.raises(ConfigurationError, match="CONSENTKIT_PUBLISH is 'thread'"):
        wallet.__post_init__()


@pytest.mark.requirement("R58")
def test_a_publisher_stops_all_sharing_when_the_database_is_an_old_copy(
    roled: Roled,
) -> None:
    owner = roled.owner
    owner.answer("alice", CREDIT_SCORE)
    publisher = roled.running(Role.PUBLISHER)

    assert suspend(publisher, by=BY) is not None
    publisher.close()

    assert owner.check("alice", CREDIT_SCORE).reason is Reason.SUSPENDED


@pytest.mark.parametrize("role", [Role.WEB, Role.PUBLISHER])
def test_who_may_not_note_an_archive_copies_nothing_and_names_the_owner(
    roled: Roled, role: Role, tmp_path: Path
) -> None:
    next_period(roled.owner)
    grant_roles(roled.owner.installation.database, NAMES)
    process = roled.running(role, SECOND)
    place = FolderArchive(tmp_path / "archive")

    with pytest.raises(
        ConfigurationError, match=r"'consent_owner_.*nothing was copied"
    ):
        archive_log(process, ORIGIN, place, by=BY)

    process.close()
    assert list((tmp_path / "archive").iterdir()) == []
    assert archive_log(roled.owner.installation, ORIGIN, place, by=BY).files


def test_bytes_of_an_erased_person_are_swept_by_the_owner_and_by_nobody_by_mistake(
    roled: Roled, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL only warns its own client, and skips a table of somebody else's."""
    web = roled.wallet(Role.WEB)
    web.answer("alice", CREDIT_SCORE)

    with caplog.at_level("INFO"):
        done = erase(web.installation, Erasing("alice", "request"))

    assert not done.swept
    assert "'flask consent sweep' as the owner of the tables" in caplog.text
    assert "'consent_owner_" in caplog.text
    assert {each.levelname for each in caplog.records} <= {"INFO"}
    assert done.leaf
    assert web.installation.erasures.residue() == done.leaf.id
    assert sweep(roled.owner.installation)
    assert web.installation.erasures.residue() is None


@pytest.mark.parametrize("role", [Role.WEB, Role.PUBLISHER])
def test_no_thread_of_a_process_that_may_not_sweep_tries_to(
    roled: Roled, role: Role, caplog: pytest.LogCaptureFixture
) -> None:
    web = roled.wallet(Role.WEB)
    web.answer("alice", CREDIT_SCORE)
    erase(web.installation, Erasing("alice", "request"), sweeps=False)
    process = roled.running(role)

    with caplog.at_level("INFO"):
        follow_erasures(process)
        (sweeper,) = _sweepers()
        sweeper.join(30)

    assert not sweeper.is_alive()
    assert {each.levelname for each in caplog.records} == {"INFO"}
    assert "rewriting what was erased ends" in caplog.text
    assert web.installation.erasures.residue()
    process.close()


def test_the_thread_of_an_owner_sweeps_and_goes_on(roled: Roled) -> None:
    owner = roled.owner
    owner.answer("alice", CREDIT_SCORE)
    erase(owner.installation, Erasing("alice", "request"), sweeps=False)

    follow_erasures(owner.installation)

    (sweeper,) = _sweepers()
    assert becomes(lambda: owner.installation.erasures.residue() is None)
    assert sweeper.is_alive()


def _sweepers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if "sweeper" in each.name]
