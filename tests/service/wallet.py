"""The payment app's installation in a folder: real keys, real database, set clock.

Everything goes by the services' own doors. ``check`` proves the whole log again.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any
from typing import ClassVar

from consentkit.audit.bundle import FolderSource
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.core.act import Channel
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Decision
from consentkit.core.decision import ShareRequest
from consentkit.core.notice import Notice
from consentkit.errors import ConsentDeniedError
from consentkit.log.leaf import read_leaf
from consentkit.service.asking import publish_notice
from consentkit.service.checking import check
from consentkit.service.choosing import Answer
from consentkit.service.choosing import Submission
from consentkit.service.choosing import choose
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.service.revoking import Ending
from consentkit.service.revoking import Revocation
from consentkit.service.revoking import revoke
from consentkit.service.sharing import Circumstances
from consentkit.service.sharing import authorise
from consentkit.service.signers import KeySources
from consentkit.service.starting import Places
from consentkit.service.starting import start
from consentkit.store.schema import METADATA
from tests.declared import registry
from tests.laid_tables import lay_tables
from tests.postgres_server import on_postgres

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping
    from pathlib import Path

    from consentkit.audit.report import VerifiedLog
    from consentkit.core.canonical import JSON
    from consentkit.core.decision import Reason
    from consentkit.core.registry import Registry
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.service.release import Release

__all__ = [
    "CREDIT_SCORE",
    "DAY",
    "NEW_YEAR",
    "NIGHT",
    "ORIGIN",
    "OWN_OFFERS",
    "SHOPS",
    "TRANSFER",
    "Clock",
    "Wallet",
    "denied",
]

ORIGIN = "wallet.example/consent/2026"
NEW_YEAR = 1_767_225_600_000
DAY = 86_400_000

_FAIL = "SELECT RAISE(ABORT, 'the disk is full')"

CREDIT_SCORE = ("credit-score", "acme-credit")
SHOPS = ("shop-offers", "corner-shops")
OWN_OFFERS = ("shop-offers", "controller")
NIGHT = ("night-help", "night-desk")
TRANSFER = ("night-help.cross-border", "night-desk")


@dataclass
class Clock:
    """Stands still until somebody sets it; breaks if it is told to."""

    now: int = NEW_YEAR
    broken: bool = False

    def __call__(self) -> Millis:
        if self.broken:
            raise OSError(5, "the clock does not answer")
        return Millis(self.now)


@dataclass
class Wallet:
    """An installation with a few short words for what people do with it."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    declared: Registry = field(default_factory=registry)
    damaged: bool = False
    publishes: bool = True
    sources: KeySources = field(default_factory=KeySources)
    opened: ClassVar[list[Wallet]] = []
    uri: str = ""  # of a PostgreSQL database, or else a file in the folder

    def __post_init__(self) -> None:
        known = self.folder / "uri"  # of the wallet that was in this folder before
        if self.uri:
            known.write_text(self.uri)
        elif known.exists():
            self.uri = known.read_text()
        else:
            lay_tables(self.file)
        self.installation: Installation = start(
            self.declared,
            self.places,
            origin=ORIGIN,
            publishes=self.publishes,
            clock=self.clock,
        )
        self.opened.append(self)

    @property
    def places(self) -> Places:
        return Places(
            database_uri=self.uri or f"sqlite:///{self.file}",
            keys=self.folder / "keys",
            logs=self.folder / "logs",
            sources=self.sources,
        )

    @property
    def file(self) -> Path:
        return self.folder / "consent.sqlite3"

    @property
    def logs(self) -> Path:
        return self.installation.log_folder

    @property
    def trust(self) -> Trust:
        return Trust.of(self.installation.keyring.vkeys)

    # What people do

    def notice(self, purpose: str, *, wording: str = "Do you agree?") -> Notice:
        """The logged notice that asks all questions of one purpose."""
        questions = self.declared.questions(purpose)
        notice = Notice.of(
            questions,
            locale="en",
            html=f"<p>{purpose}: {wording}</p>".encode(),
            text=f"{purpose}: {wording}",
            template=b"<p>{{ purpose }}</p>",
            assets={},
            controls=[f"choice.{each.purpose_id}" for each in questions],
            variant="test",
        )
        publish_notice(self.installation, notice)
        return notice

    def form(
        self,
        subject: str,
        answers: Mapping[tuple[str, str], Answer | State],
        *,
        notice: str = "",
        challenge: str = "",
        facts: Mapping[str, JSON] | None = None,
    ) -> Submission:
        """A form with these answers, from the page that asks about their purpose."""
        if not notice:
            purpose = next(iter(answers))[0].removesuffix(".cross-border")
            notice = self.notice(purpose).digest
        return Submission(
            subject=subject,
            notice=notice,
            challenge=challenge or secrets.token_hex(32),
            answers={
                key: said if isinstance(said, Answer) else Answer(said)
                for key, said in answers.items()
            },
            channel=Channel.WEB,
            facts={"locale": "en"} if facts is None else facts,
        )

    def answer(
        self, subject: str, *keys: tuple[str, str], said: State = State.GIVEN
    ) -> Leaf:
        """Say the same to each of these questions of one purpose."""
        return self.submit(self.form(subject, dict.fromkeys(keys, said)))

    def submit(self, form: Submission) -> Leaf:
        return choose(self.installation, form).leaf

    def revoke(
        self, subject: str, purpose: str | None = None, recipient: str | None = None
    ) -> Revocation:
        return revoke(self.installation, Ending(subject, purpose, recipient))

    def check(
        self, subject: str, key: tuple[str, str], data: Collection[str] | None = None
    ) -> Decision:
        return check(self.installation, self.request(subject, key, data))

    def share(
        self, subject: str, key: tuple[str, str], data: Collection[str] | None = None
    ) -> Release:
        return authorise(
            self.installation,
            self.request(subject, key, data),
            Circumstances(caller="jobs:score", amount=12),
        )

    def request(
        self, subject: str, key: tuple[str, str], data: Collection[str] | None = None
    ) -> ShareRequest:
        """For these data, or else for all that a plain yes to the question covers."""
        question = self.declared.question(*key)
        if data is None and question is not None:
            data = set(question.data) - set(question.optional)
        return ShareRequest(subject, *key, None if data is None else frozenset(data))

    # What can be seen from outside

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement as somebody with the database and a driver would."""
        if self.uri:
            return on_postgres(self.uri, statement, *values)
        with closing(sqlite3.connect(self.file, timeout=30)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def break_writes(self, event: str) -> None:
        """From now on every such write fails, in whichever process."""
        if self.uri:
            event, _, when = event.partition(" WHEN ")
            self.sql(
                "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE integrity_constraint_violation; END $$"
            )
            self.sql(
                f"CREATE TRIGGER broken BEFORE {event} FOR EACH ROW "
                f"WHEN ({when or 'true'}) EXECUTE FUNCTION broken()"
            )
            return
        self.sql(
            f"CREATE TRIGGER broken BEFORE {event} BEGIN SELECT RAISE(ABORT,''); END"
        )

    def mend_writes(self) -> None:
        if self.uri:
            self.sql("DROP FUNCTION broken CASCADE")
            return
        self.sql("DROP TRIGGER broken")

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        return {
            name: sorted(self.sql(f"SELECT * FROM {name}"), key=repr)  # noqa: S608  our own tables
            for name in METADATA.tables
        }

    def leaves(self, *kinds: str) -> list[Leaf]:
        """The leaves of these kinds, of all if none is named, in order of writing."""
        rows = self.sql(
            "SELECT bytes FROM consent_leaf WHERE idx IS NULL OR idx >= 0 "
            "ORDER BY position"
        )
        found = [read_leaf(row[0]) for row in rows]
        return [leaf for leaf in found if not kinds or leaf.kind.value in kinds]

    def verify(self) -> VerifiedLog:
        """Publish, and verify the folder as an auditor does."""
        publish_all(self.installation)
        return verify_log(FolderSource(self.logs), trust=self.trust)

    def unguard(self, change: str) -> None:
        """Let rows of leaves be changed (``update``) or taken out (``delete``)."""
        on = " ON consent_leaf" if self.uri else ""
        self.sql(f"DROP TRIGGER consent_leaf_no_{change}{on}")

    @classmethod
    def close_all(cls) -> None:
        """Give the connections of every wallet back."""
        while cls.opened:
            cls.opened.pop().installation.close()

    def prove(self) -> None:
        """The whole log holds, and the state is what its leaves say."""
        size = self.verify().size
        assert size == len(self.leaves())
        assert list(differences(self.installation)) == []


def denied(wallet: Wallet, key: tuple[str, str] = CREDIT_SCORE, **data: Any) -> Reason:
    """Why Alice's data may not be shared now."""
    try:
        wallet.share("alice", key, **data)
    except ConsentDeniedError as error:
        decision = error.decision
    else:
        raise AssertionError("it was shared")
    assert not decision
    assert decision.data == frozenset()
    return decision.reason
