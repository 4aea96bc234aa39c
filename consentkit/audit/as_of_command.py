"""``consentkit as-of LOG --subject HANDLE --at TIME``: one question to a whole log.

Exit status: 0 it was answered · 1 the log, or a proof, does not hold, and there is no
answer · 2 the log cannot be read, or the command was used wrongly.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack
from contextlib import closing
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit.as_of import AsOf
from consentkit.audit.as_of import Question
from consentkit.audit.as_of import as_of
from consentkit.audit.as_of_report import answer_dict
from consentkit.audit.as_of_report import answer_files
from consentkit.audit.as_of_report import answer_lines
from consentkit.audit.bundle import CHECKPOINT
from consentkit.audit.bundle import open_source
from consentkit.audit.progress import ProgressBar
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.signatures import usable_cpus
from consentkit.audit.trust import Trust
from consentkit.audit.verify import Examination
from consentkit.core.act import Millis
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import open_checkpoint

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from collections.abc import Sequence

    from consentkit.audit.bundle import Source
    from consentkit.audit.report import Report

__all__ = ["add_options", "execute"]

_HOLDS, _FAILS, _UNUSABLE = 0, 1, 2  # 2: a handle that the log does not know, too
_HANDLE = re.compile(r"[0-9a-f]{32}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this command."""
    parser.add_argument("log", metavar="DIR|URL", help="where the log's files are")
    parser.add_argument(
        "--subject",
        metavar="HANDLE",
        required=True,
        help="the person's handle, 32 hex digits, as the operator tells it",
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        required=True,
        help="the moment, with its zone, such as 2026-01-31T12:00:00Z",
    )
    parser.add_argument(
        "--previous",
        metavar="DIR|URL",
        action="append",
        default=[],
        help="the files of the log that this one continues; then of the one before",
    )
    parser.add_argument("--purpose", metavar="ID", help="this purpose only")
    parser.add_argument("--recipient", metavar="ID", help="this recipient only")
    parser.add_argument(
        "--key",
        metavar="VKEY",
        action="append",
        required=True,
        help="the log's verifier key, and collectors' keys to pin; repeatable",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        type=Path,
        help="write the proofs and the text shown to a new folder",
    )
    parser.add_argument(
        "--json", action="store_true", help="print a machine-readable answer"
    )


def execute(options: argparse.Namespace) -> int:
    """Do what the parsed options say and return the exit status.

    Of a handle that is not in the log nothing is written.

    Raises:
        ConfigurationError: an option cannot be used.
        LogUnavailableError: the log cannot be read, or changed meanwhile.
    """
    question = Question(
        subject=_handle(options.subject),
        at=_moment(options.at),
        purpose=options.purpose,
        recipient=options.recipient,
    )
    trust = _trust(options.key)
    if options.output is not None:
        _check_empty(options.output)
    with ExitStack() as sources:
        logs = [
            sources.enter_context(closing(open_source(each)))
            for each in (options.log, *options.previous)
        ]
        report, answer, fault = _answer(logs, trust, question)
    found = answer is not None and answer.known
    if found and answer is not None and options.output is not None:
        _write(options.output, answer)
    _print(report, answer, fault, as_json=options.json)
    if answer is None:
        return _FAILS
    return _HOLDS if found else _UNUSABLE


def _answer(
    logs: Sequence[Source], trust: Trust, question: Question
) -> tuple[Report, AsOf | None, Finding | None]:
    """Examine the log; ask it, if it holds; what was wrong with the answer, if so."""
    source, *previous = logs
    with ProgressBar() as bar:
        examination = Examination(
            source,
            trust=trust,
            layers=[Layer.LOG, Layer.RECORDS],
            progress=bar.draw,
            jobs=usable_cpus(),
            previous=previous,
        )
        with closing(examination.find_faults()) as faults:
            for fault in faults:
                if not fault.stray:
                    bar.note_fault()
    report = examination.report()
    if not report.holds:
        return report, None, None
    try:
        note = source.read(CHECKPOINT)
        checkpoint = open_checkpoint(note, trust.log, origin=trust.origin)
        if report.log is None or checkpoint.root != report.log.root:
            raise LogUnavailableError(
                "the log was published anew meanwhile; ask again, or ask a copy"
            )
        answer = as_of(source, note, checkpoint, question, previous=previous)
    except VerificationError as error:
        found = Finding(Layer.RECORDS, error.step, error.entry, str(error), type(error))
        return report, None, found
    return report, answer, None


def _print(
    report: Report, answer: AsOf | None, fault: Finding | None, *, as_json: bool
) -> None:
    holds = answer is not None
    if as_json:
        value: dict[str, Any] = {**report.to_dict(), "holds": holds}
        if fault is not None:
            value["findings"] = [*value["findings"], fault.to_dict()]
        value["answer"] = None if answer is None else answer_dict(answer)
        sys.stdout.write(json.dumps(value, indent=2) + "\n")
        return
    *lines, verdict = report.lines()
    if answer is not None:
        lines += ["", *answer_lines(answer)]
    if answer is not None and not answer.known:
        verdict = "NOT FOUND"
    if fault is not None:
        lines, verdict = [*lines, str(fault)], "DOES NOT HOLD"
    _print_lines([*lines, verdict])


def _print_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _write(folder: Path, answer: AsOf) -> None:
    try:
        for path, data in answer_files(answer):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be written: {error.strerror}"
        ) from error


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} must be a new or an empty folder")


def _trust(vkeys: Iterable[str]) -> Trust:
    try:
        return Trust.of(vkeys)
    except VerificationError as error:
        raise ConfigurationError(f"--key: {error}") from error


def _handle(text: str) -> str:
    if not _HANDLE.fullmatch(text):
        raise ConfigurationError(
            "--subject must be a handle of 32 hex digits, as `flask consent handle` "
            "prints it; the log knows no other names"
        )
    return text


def _moment(text: str) -> Millis:
    moment: datetime | None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigurationError(
            f"--at must be a time with its zone, such as 2026-01-31T12:00:00Z; got "
            f"{text!r:.40}"
        )
    return Millis((moment - _EPOCH) // timedelta(milliseconds=1))
