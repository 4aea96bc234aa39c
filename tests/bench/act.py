"""One act and its end, signed and durable; and the publication of ten thousand.

Two references, both on the bare driver and in the same journal mode. The first inserts
and commits one kibibyte. The second writes the rows that an act writes, byte for byte
as long, in one transaction, and makes one signature; it keeps no chain, seals nothing
and checks nothing. Where dpdpkit is installed, a grant of its own, chained and not
signed, is timed too, in a database of its own. Everything lies on the disk of the
temporary folder: TMPDIR.
"""

from __future__ import annotations

import itertools
import secrets
import sqlite3
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import ExitStack
from contextlib import closing
from pathlib import Path

from consentkit.audit.bundle import FolderSource
from consentkit.audit.report import Layer
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import State
from consentkit.core.notice import Notice
from consentkit.service.asking import publish_notice
from consentkit.service.choosing import Answer
from consentkit.service.choosing import Submission
from consentkit.service.choosing import choose
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from consentkit.store.sqlite import journal_mode
from tests.bench.measure import Line
from tests.bench.measure import Samples
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import race
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.rival_engines import is_installed
from tests.bench.rival_engines import make_dpdpkit
from tests.bench.world import World
from tests.bench.world import open_raw
from tests.bench.world import signed_leaves
from tests.bench.world import world
from tests.declared import CREDIT
from tests.declared import SCORE

WAITING, SMOKE_WAITING = 10_000, 300

RAW = "raw INSERT + COMMIT, 1 KiB"
UNSIGNED = "the same rows unsigned + one signature"
CHOOSE = "choose: a grant"
REVOKE = "revoke: its end"
RIVAL = "dpdpkit: a grant"

_FACTS = {
    "locale": "en",
    "path": "/consent/choices",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox",
}
_WRITTEN = ("consent_leaf", "consent_evidence", "consent_state")
_MOVE = "UPDATE consent_subject SET seq = :seq, head = :id WHERE subject = :subject"


class Acts:
    """People who agree and take it back, through the services."""

    def __init__(self, world: World, people: int, *, prefix: str = "") -> None:
        self._installation = world.installation
        self._notice = logged_notice(world)
        self._idle = deque(f"{prefix}{number}" for number in range(people))
        self._agreeing: deque[str] = deque()
        for _ in range(people):  # everybody is known before anything is timed
            self.grant()
        for _ in range(people // 2):
            self.end()
        self.grant()  # the newest leaf is now one with a chain behind it

    @property
    def agreeing(self) -> list[str]:
        """Who has said yes, and not taken it back."""
        return list(self._agreeing)

    def grant(self) -> None:
        """The next person says yes."""
        person = self._idle.popleft()
        self._say_yes(person)
        self._agreeing.append(person)

    def renew(self) -> None:
        """The person who has agreed for longest says yes again."""
        person = self._agreeing.popleft()
        self._say_yes(person)
        self._agreeing.append(person)

    def _say_yes(self, person: str) -> None:
        submission = Submission(
            subject=person,
            notice=self._notice.digest,
            challenge=secrets.token_hex(32),
            answers={(SCORE.id, CREDIT.id): Answer(State.GIVEN)},
            channel=Channel.WEB,
            facts=_FACTS,
        )
        choose(self._installation, submission)

    def end(self) -> None:
        """The person who has agreed for longest takes it back."""
        person = self._agreeing.popleft()
        ending = Ending(
            subject=person,
            purpose=SCORE.id,
            assurance=Assurance.SESSION,
            channel=Channel.WEB,
            facts=_FACTS,
        )
        revoke(self._installation, ending)
        self._idle.append(person)


class Unsigned:
    """The rows of an act, written by the driver alone, with one signature beside."""

    def __init__(self, world: World, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._signer = world.installation.keyring.collector
        with closing(sqlite3.connect(world.path)) as theirs:
            theirs.backup(connection)  # the same tables, the same people
        connection.row_factory = sqlite3.Row
        self._rows = {name: self._newest(name) for name in _WRITTEN}
        self._inserts = {name: self._insert(name) for name in _WRITTEN}
        found = connection.execute("SELECT subject, handle FROM consent_subject")
        self._people = itertools.cycle(found.fetchall())
        self._seqs = itertools.count(1_000)

    def _newest(self, table: str) -> dict[str, object]:
        """The row that the services wrote last."""
        query = f"""
            SELECT each.* FROM {table} AS each JOIN consent_leaf AS leaf
            ON leaf.id = each.{"record" if table == "consent_state" else "id"}
            WHERE leaf.kind = 'choice' ORDER BY leaf.position DESC LIMIT 1
        """  # noqa: S608  names of tables, written above
        return dict(self._connection.execute(query).fetchone())

    def _insert(self, table: str) -> str:
        verb = "INSERT OR REPLACE" if table == "consent_state" else "INSERT"
        return f"{verb} INTO {table} VALUES (:{', :'.join(self._rows[table])})"

    def act(self) -> None:
        """One act of the next person."""
        subject, handle = next(self._people)
        act = secrets.token_hex(16)
        seq = next(self._seqs)
        leaf = self._rows["consent_leaf"]
        self._signer.sign(bytes(leaf["bytes"]))  # type: ignore[call-overload]  # a BLOB
        new = {"id": act, "subject": subject, "handle": handle, "seq": seq}
        new |= {"record": act, "position": None, "idx": None}
        new |= {"challenge": secrets.token_hex(32)}
        self._connection.execute("BEGIN IMMEDIATE")
        for table in _WRITTEN:
            self._connection.execute(self._inserts[table], {**self._rows[table], **new})
        self._connection.execute(_MOVE, new)
        self._connection.execute("COMMIT")


def logged_notice(world: World) -> Notice:
    """A notice that asks about the credit score, and is in the log."""
    notice = Notice.of(
        world.installation.registry.questions(SCORE.id),
        locale="en",
        html=b"<p>Do you agree?</p>",
        text="Do you agree?",
        template=b"",
        assets={},
        controls=(),
        variant="standard",
    )
    publish_notice(world.installation, notice)
    return notice


def _insert_one(connection: sqlite3.Connection, data: bytes) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO bare (data) VALUES (?)", (data,))
    connection.execute("COMMIT")


def _written(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows there are, and how many bytes the newest leaf has."""
    found = {
        name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608  names of tables
        for name in (*_WRITTEN, "consent_subject")
    }
    newest = "SELECT length(bytes) FROM consent_leaf ORDER BY position DESC LIMIT 1"
    return {**found, "bytes": connection.execute(newest).fetchone()[0]}


def _agreement(
    acts: Acts, ours: sqlite3.Connection, unsigned: Unsigned, theirs: sqlite3.Connection
) -> str:
    """A line that says what both write; stops if they do not write the same."""
    acts.grant()
    unsigned.act()
    one, other = _written(ours), _written(theirs)
    if one != other:
        raise SystemExit(f"ours wrote {one}, the reference {other}")
    acts.end()
    return f"same rows: {', '.join(_WRITTEN)}; a leaf of {one['bytes']} bytes"


def _acts(rounds: int, people: int) -> tuple[str, Samples]:
    with ExitStack() as stack:
        made = stack.enter_context(world())
        acts = Acts(made, people)
        ours = stack.enter_context(closing(sqlite3.connect(made.path)))
        theirs = stack.enter_context(open_raw(made.path.with_name("unsigned.sqlite3")))
        bare = stack.enter_context(open_raw(made.path.with_name("bare.sqlite3")))
        bare.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, data BLOB)")
        unsigned = Unsigned(made, theirs)
        agreed = _agreement(acts, ours, unsigned, theirs)
        samples = race(
            {
                RAW: lambda: _insert_one(bare, secrets.token_bytes(1024)),
                UNSIGNED: unsigned.act,
                CHOOSE: acts.grant,
                REVOKE: acts.end,
                **_rival(made.path.parent, people),
            },
            rounds=rounds,
        )
        return f"{agreed}; {_verified(made)}", samples


def _rival(folder: Path, people: int) -> dict[str, Callable[[], object]]:
    """The nearest one's grant, in a file beside ours, if it is installed."""
    if not is_installed("dpdpkit.fastapi"):
        return {}
    grant_to, numbers = make_dpdpkit(folder), itertools.cycle(range(people))
    return {RIVAL: lambda: grant_to(str(next(numbers)))}


def _verified(world: World) -> str:
    """Every act of the race is in the log, and the log holds."""
    installation = world.installation
    publish_all(installation)
    differ = list(differences(installation))
    if differ:
        raise SystemExit("\n".join(differ))
    trust = Trust.of(installation.keyring.vkeys)
    log = verify_log(FolderSource(installation.log_folder), trust=trust)
    return f"log of {log.size} leaves verified"


def publications(
    made: World, rounds: int, waiting: int, *, where: str = ""
) -> tuple[str, Samples]:
    """What was published in that app, verified, and how long so many leaves take."""
    installation = made.installation
    publish_all(installation)

    def wait() -> None:
        with installation.ledger.write() as transaction:
            for leaf in signed_leaves(installation, made.question, waiting):
                transaction.append(leaf)

    name = f"publish {waiting:,} waiting leaves{where}"
    samples = race(
        {name: lambda: publish_all(installation)}, rounds=rounds, prepare=wait
    )
    left, latest = installation.publications.pending(), publish_all(installation)
    trust = Trust.of(installation.keyring.vkeys)
    source = FolderSource(installation.log_folder)
    log = verify_log(source, trust=trust, layers=[Layer.LOG])
    if left or log.size != latest:
        raise SystemExit(f"{left} leaves still wait, {log.size} are published")
    return f"published: {log.size} leaves, verified", samples


def main(argv: Sequence[str] | None = None) -> None:
    """Compare what is written, then times."""
    asked = arguments(argv, __doc__, rounds=300)
    waiting = SMOKE_WAITING if asked.smoke else WAITING
    agreed, acts = _acts(asked.rounds, people=20 if asked.smoke else 200)
    with world() as made:
        published, publication = publications(made, 5, waiting)
    write(agreed, published, circumstances(journal_mode(), asked.rounds))
    lines = [
        Line(RAW),
        Line(UNSIGNED, RAW),
        Line(CHOOSE, UNSIGNED, 1.3),
        Line(CHOOSE, RAW),
        Line(REVOKE, CHOOSE, 1.15),
        Line(f"publish {waiting:,} waiting leaves", reach=1.0),
    ]
    if RIVAL in acts:
        lines.insert(-1, Line(RIVAL, CHOOSE))
    else:
        write(f"{RIVAL} is left out, not installed: pip install -e '.[bench]'\n")
    write(report({**acts, **publication}, lines))


if __name__ == "__main__":
    main()
