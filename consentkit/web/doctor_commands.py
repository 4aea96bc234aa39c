"""``flask consent doctor``: the installation, and what the app's code leaves out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NoReturn

import click
from flask import current_app
from flask.cli import with_appcontext

from consentkit.audit.plain_text import plain_json
from consentkit.errors import LogError
from consentkit.service.examining import examine_installation
from consentkit.service.finding import Level
from consentkit.web.bare import bare_views
from consentkit.web.doctor_config import examine_config
from consentkit.web.gates import examine
from consentkit.web.gates import find_gates
from consentkit.web.gates import untested
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.service.finding import Finding
    from consentkit.web.gates import Gate

__all__ = ["cannot_look", "doctor"]

_LACKS = 1
_CANNOT_LOOK = 2
_EVERYTHING, _INSTALLATION, _CODE = "everything", "installation", "code"
_SEEN = Path(".pytest_cache", "v", "consentkit", "gates")
"""Where pytest keeps what ``consentkit.testing`` gave it, from its own folder on."""


@dataclass(frozen=True)
class _Run:
    """What the last run of the tests reached."""

    tests: int
    reached: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class _Code:
    """What the app's code leaves out."""

    gates: list[Gate] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    run: _Run | None = None

    @property
    def unclear(self) -> list[str]:
        """Where calls are whose purpose or recipient is known when they run."""
        return [gate.place for gate in self.gates if not gate.is_clear]


@click.command("doctor")
@click.option(
    "--only",
    type=click.Choice([_EVERYTHING, _INSTALLATION, _CODE]),
    default=_EVERYTHING,
    show_default=True,
    help="Look at keys, log and database, or at the gates in the app's code.",
)
@click.option(
    "--all", "in_full", is_flag=True, default=False, help="Show what is fine, too."
)
@click.option("--json", "as_json", is_flag=True, default=False, help="For machines.")
@click.option(
    "--tests",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder that pytest runs in, if it is another one.",
)
@with_appcontext
def doctor(*, only: str, in_full: bool, as_json: bool, folder: Path) -> None:
    """Look at the whole installation, and at the gates in the app's code.

    Purposes, recipients and routes without a gate are listed, and gates without a test.
    Only the app's own modules that are loaded are read. What tests reach is known once
    pytest ran with the option consentkit_watch: it is that of the last run. Exit
    status: 0 nothing is missing, 1 something is, 2 the database does not answer.
    """
    findings = [] if only == _CODE else _examined()
    code = _Code() if only == _INSTALLATION else _read_code(folder)
    if as_json:
        _tell_machines(findings, code)
    else:
        _tell(findings, in_full=in_full)
        if only != _INSTALLATION:
            _tell_code(code)
    if code.lacks or any(each.level is Level.FAULT for each in findings):
        raise SystemExit(_LACKS)


def _examined() -> list[Finding]:
    """What was found in the installation.

    Raises:
        SystemExit: the database does not answer.
    """
    try:
        return [*examine_installation(current_state().installation), *examine_config()]
    except LogError as error:
        cannot_look(error)


def cannot_look(error: LogError) -> NoReturn:
    """Tell that the database does not answer, wherever that was noticed.

    Raises:
        SystemExit: always.
    """
    click.echo(f"cannot look: {error}", err=True)
    raise SystemExit(_CANNOT_LOOK) from error


def _tell(findings: Iterable[Finding], *, in_full: bool) -> None:
    """A line each, the worst on top; what is fine is only counted, unless asked."""
    levels = list(Level)
    count = Counter(each.level for each in findings)
    for each in sorted(findings, key=lambda found: levels.index(found.level)):
        if in_full or each.level is not Level.FINE:
            click.echo(_line(each))
    if count:
        told = ", ".join(_counted(count[level], level) for level in levels)
        click.echo(f"installation: {told}")


def _line(finding: Finding) -> str:
    told = f"{finding.level:<7}  {finding.area}, {finding.part}: {finding.came}"
    if finding.level is not Level.FINE:
        told += f"; expected: {finding.expected}. Do: {finding.do}"
    return plain_json(told)[1:-1]  # a witness said some of it


def _read_code(folder: Path) -> _Code:
    gates = find_gates(Path(current_app.root_path))
    lacks = [*bare_views(), *examine(current_state().installation.registry, gates)]
    run = _last_run(folder)
    if run is not None:
        lacks += untested(gates, run.reached)
    return _Code(gates, lacks, run)


def _tell_code(code: _Code) -> None:
    for line in code.lacks:
        click.echo(line)
    for place in code.unclear:
        click.echo(f"unclear: what {place} is about is known when it runs")
    click.echo(
        f"{_count(len(code.gates), 'call')} in the loaded modules below "
        f"{current_app.root_path}, {_count(len(code.lacks), 'thing')} missing. Other "
        f"code was not read. {_told(code.run)}"
    )


def _tell_machines(findings: Iterable[Finding], code: _Code) -> None:
    told = {
        "findings": [each.to_dict() for each in findings],
        "missing": code.lacks,
        "unclear": code.unclear,
        "calls": len(code.gates),
        "tests": None if code.run is None else code.run.tests,
    }
    click.echo(json.dumps(told, indent=2))


def _last_run(folder: Path) -> _Run | None:
    """What tests reached; None if they did not run here, or told nothing."""
    try:
        seen = json.loads((folder / _SEEN).read_text(encoding="utf-8"))
        reached = frozenset((str(one), str(two)) for one, two in seen["reached"])
        return _Run(int(seen["tests"]), reached)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _told(run: _Run | None) -> str:
    if run is None:
        return (
            "Whether a test reaches a gate is not known: let pytest run first, with "
            "the option consentkit_watch."
        )
    return f"What tests reach is that of the last run, of {_count(run.tests, 'test')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _counted(count: int, level: Level) -> str:
    many = level is not Level.FINE and count != 1
    return f"{count} {level}{'s' if many else ''}"
