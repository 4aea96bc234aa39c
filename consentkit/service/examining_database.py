"""The database: is it of our version, does it keep promises, who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.errors import LogUnavailableError
from consentkit.service.finding import fault
from consentkit.service.finding import fine
from consentkit.service.finding import warning
from consentkit.store.inspecting import Inspection
from consentkit.store.rights import is_refused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.service.finding import Finding
    from consentkit.service.finding import Looks
    from consentkit.service.installation import Installation
    from consentkit.store.inspecting import Durability
    from consentkit.store.inspecting import Standby
    from consentkit.store.rights import Rights

__all__ = ["DATABASE"]

_CLOCK_MS = 5_000  # leaves are stamped by web machines: they should agree with this one
_LAG_SECONDS = 10.0  # a replica that is further behind would lose that at a fail-over
_INIT = "run 'flask consent init' as the owner of the tables"


def _engine(installation: Installation) -> Iterable[Finding]:
    inspection = Inspection(installation.database)
    found = inspection.describe()
    if inspection.kind() == "sqlite":
        journal = inspection.journal()
        if (journal.mode, journal.safe) == ("WAL", "DELETE"):
            return [
                fault(
                    f"{found} in WAL mode loses what several processes committed",
                    expected="SQLite 3.51.3, 3.50.7 or 3.44.6, or journal_mode=DELETE",
                    do="install a newer SQLite, or leave the mode to consentkit",
                )
            ]
        found = f"{found}, journal mode {journal.mode}"
    return [fine(found)]


def _tables(installation: Installation) -> Iterable[Finding]:
    found = Inspection(installation.database).migration()
    if found.found == found.newest:
        return [fine(f"of version {found.found}, the newest")]
    return [
        fault(
            f"of version {found.found}",
            expected=f"{found.newest}, as this consentkit has them",
            do=_INIT,
        )
    ]


def _leaves(installation: Installation) -> Iterable[Finding]:
    inspection = Inspection(installation.database)
    lost = inspection.lost_triggers() + inspection.lost_partitions()
    if not lost:
        return [fine("triggers keep them from being changed or deleted")]
    return [
        fault(
            f"not there, or switched off: {', '.join(lost)}",
            expected="the triggers and partitions that the migrations made",
            do="find out who took them away, and compare the log: flask consent "
            "rebuild --check",
        )
    ]


def _role(installation: Installation) -> Iterable[Finding]:
    rights = Inspection(installation.database).rights()
    if rights is None:
        return []
    if rights.owns or rights.may_own:
        way = "owns the tables" if rights.owns else "may become their owner (SET ROLE)"
        return [
            warning(
                f"this process logs in as {rights.role!r}, who {way} and can change "
                "the past",
                expected="a role that can only do its work (docs/roles.md)",
                do=f"{_INIT}, with --web-role, --publisher-role and --auditor-role",
            )
        ]
    too_much = _too_much(rights)
    if too_much:
        return [
            fault(
                f"the role {rights.role!r} may {' and '.join(too_much)} leaves",
                expected="nobody but the owner of the tables can",
                do=f"{_INIT}, and look at what else the role was granted",
            )
        ]
    return [fine(f"{rights.role!r} can neither change nor delete a leaf")]


def _too_much(rights: Rights) -> list[str]:
    held = {
        "change": rights.changes_leaves,
        "delete": rights.deletes_leaves,
        "truncate": rights.truncates_leaves,
        "number, past the table itself,": rights.renumbers,
        "add, past the table itself,": rights.adds_apart,
    }
    return [word for word, may in held.items() if may]


def _durability(installation: Installation) -> Iterable[Finding]:
    inspection = Inspection(installation.database)
    if inspection.kind() == "sqlite":
        return [fine("synchronous=FULL: what was answered is on the disk")]
    return list(_lacking(inspection.durability())) or [
        fine("what was answered is on the disk")
    ]


def _lacking(found: Durability) -> Iterator[Finding]:
    if found.is_replica:
        yield fault(
            "this is a replica: nothing can be written",
            expected="the primary",
            do="set CONSENTKIT_DATABASE_URI to the primary",
        )
    for name, value in (("fsync", found.fsync), ("full_page_writes", found.full_pages)):
        if value != "on":
            yield fault(
                f"{name} is {value}",
                expected="on: else a power cut loses what was answered",
                do=f"set {name} = on in postgresql.conf",
            )
    if found.commit == "off":
        yield fault(
            "synchronous_commit is off",
            expected="on: else a crash loses what was answered",
            do="set synchronous_commit = on for the role and the database",
        )
    elif found.by_default == "off":
        yield warning(
            "synchronous_commit is off by default; consentkit sets it for its own "
            "connections, and not for those of your app",
            expected="on, wherever an act joins a transaction of the app",
            do="set synchronous_commit = on for the role and the database",
        )
    if found.commit == "local" and found.standbys:
        yield warning(
            "synchronous_commit is local, though standbys are named",
            expected="on: else a fail-over loses what was answered",
            do="set synchronous_commit = on",
        )


def _standbys(installation: Installation) -> Iterable[Finding]:
    inspection = Inspection(installation.database)
    if inspection.kind() == "sqlite":
        return []
    named = inspection.durability().standbys
    found = inspection.standbys()
    if named and not found:
        return [
            fault(
                "synchronous_standby_names is set, and no standby is connected: no "
                "commit returns",
                expected="a standby that is connected",
                do="start the standby, or empty synchronous_standby_names",
            )
        ]
    behind = [each for each in found if (each.lag or 0) > _LAG_SECONDS]
    return [
        *map(_behind, behind),
        *([] if behind or not found else [fine(_connected(found))]),
        *_lag_of_replica(installation),
    ]


def _behind(standby: Standby) -> Finding:
    return warning(
        f"standby {standby.name!r} is {standby.lag:.0f} s behind",
        expected=f"at most {_LAG_SECONDS:.0f} s",
        do="look at its network, its disk, and what runs on it",
    )


def _connected(found: list[Standby]) -> str:
    if all(each.state is None for each in found):
        return f"{len(found)} connected; how far behind, only pg_monitor may see"
    return ", ".join(f"{each.name} {each.sync}" for each in found)


def _lag_of_replica(installation: Installation) -> Iterable[Finding]:
    """By the moment that the publisher writes, as a check on the replica reads it."""
    if installation.mirror is None:
        return []
    _, at = installation.mirror.replica.standing("", "", "")
    if at is None:
        return [
            warning(
                "the replica does not say how old it is: no check is answered there",
                expected="a moment that the publisher writes each second",
                do="set CONSENTKIT_REPLICA_URI for the publisher too, and let it run",
            )
        ]
    lag = (installation.clock() - at) / 1000
    if lag > _LAG_SECONDS:
        return [
            warning(
                f"the replica that checks may read is {lag:.0f} s behind",
                expected=f"at most {_LAG_SECONDS:.0f} s",
                do="look whether a publisher runs, and at the replica's network",
            )
        ]
    return [fine(f"the replica that checks may read is {lag:.1f} s behind")]


def _checks(installation: Installation) -> Iterable[Finding]:
    """The very read that every check rests on; nobody has the empty id."""
    try:
        installation.reader.standing("", "", "")
    except LogUnavailableError as error:
        if is_refused(error.__cause__ or error):
            raise
        return [
            fault(
                f"none is answered: {error}",
                expected="an answer: else nothing is shared",
                do="see whether the tables are all there",
            )
        ]
    return [fine("are answered")]


def _clock(installation: Installation) -> Iterable[Finding]:
    inspection = Inspection(installation.database)
    if inspection.kind() == "sqlite":
        return []
    off = inspection.clock() - installation.clock()
    if abs(off) < _CLOCK_MS:
        return [fine(f"{abs(off) / 1000:.1f} s from the database's")]
    report = fault if abs(off) > MAX_SKEW_MS else warning
    return [
        report(
            f"the database's clock differs from ours by {off // 1000} s",
            expected=f"at most {_CLOCK_MS // 1000} s",
            do="set right the one that is wrong, and let NTP keep both",
        )
    ]


def _pooler(installation: Installation) -> Iterable[Finding]:
    inspection = Inspection(installation.database)
    if inspection.kind() == "sqlite":
        return []
    return [fine("between us and the database" if inspection.is_pooled() else "none")]


def _residue(installation: Installation) -> Iterable[Finding]:
    if installation.erasures.residue() is None:
        return [fine("no byte of what was erased is left")]
    return [
        warning(
            "bytes of what was erased may still be in the database's files",
            expected="none: they are rewritten after each erasure",
            do="run 'flask consent sweep' as the owner of the tables",
        )
    ]


DATABASE: Looks = {
    "engine": _engine,
    "tables": _tables,
    "leaves": _leaves,
    "checks": _checks,
    "role": _role,
    "durability": _durability,
    "standbys": _standbys,
    "clock": _clock,
    "pooler": _pooler,
    "erased": _residue,
}
"""How to look at the database."""
