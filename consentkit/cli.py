"""``consentkit …`` for auditors: needs neither Flask nor a database nor our servers.

Exit status: 0 it holds · 1 it does not hold (which step, which entry) · 2 the input
cannot be read, or the command was used wrongly. Findings go to standard output,
everything else to standard error, so that ``--json`` can be piped.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

from consentkit.audit import Comparison
from consentkit.audit import Examination
from consentkit.audit import History
from consentkit.audit import Layer
from consentkit.audit import Trust
from consentkit.audit import compare_with_log
from consentkit.audit import open_source
from consentkit.audit import verify_receipt
from consentkit.audit.promise import is_promise
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import VerificationError
from consentkit.lint import command as lint_command
from consentkit.log.leaf import LEAF_HEADER
from consentkit.log.policy import MAX_POLICY_BYTES
from consentkit.log.policy import Policy
from consentkit.log.policy import parse_policy
from consentkit.log.proof import MAX_PROOF_BYTES
from consentkit.log.proof import PROOF_HEADER
from consentkit.witness import command as witness_command

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

__all__ = ["main"]

_HOLDS, _FAILS, _UNUSABLE = 0, 1, 2
_MAX_DISCLOSURES_BYTES = 1024 * 1024  # some dozens of facts of 16 KiB at most
_BAR_WIDTH = 30
_BAR_SECONDS = 0.1  # between two drawings; faster than that nobody reads


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(argv)
    try:
        status: int = options.run(options)
    except (ConfigurationError, LogUnavailableError) as error:
        sys.stderr.write(f"consentkit: {error}\n")
        return _UNUSABLE
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="consentkit",
        description="Check what a consent log says, and whether a page asks honestly.",
        epilog="exit status: 0 holds, 1 does not hold, 2 unreadable or wrong use",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="check a whole log")
    verify.add_argument("log", metavar="DIR|URL", help="where its files are")
    verify.add_argument(
        "--layer",
        action="append",
        choices=[layer.value for layer in Layer],
        help="check this layer only; may be repeated (default: all)",
    )
    verify.add_argument(
        "--since",
        metavar="CHECKPOINT|RECEIPT",
        action="append",
        default=[],
        help="a file kept from earlier that the log has to continue; repeatable",
    )
    verify.set_defaults(run=_verify)
    receipt = commands.add_parser("receipt", help="check one person's receipt")
    receipt.add_argument(
        "file", metavar="FILE", help="a .tlog-proof file, or a promise (with --log)"
    )
    receipt.add_argument(
        "--log", metavar="DIR|URL", help="look for it in the log as it is now"
    )
    receipt.add_argument(
        "--disclosures", metavar="FILE", help="the JSON file beside it, if shown"
    )
    receipt.set_defaults(run=_receipt)
    for command in (verify, receipt):
        command.add_argument(
            "--key",
            metavar="VKEY",
            action="append",
            required=True,
            help="the log's verifier key, and collectors' keys to pin; repeatable",
        )
        command.add_argument(
            "--policy",
            metavar="FILE",
            help="a tlog-policy file: which witnesses have to have cosigned",
        )
        command.add_argument(
            "--json", action="store_true", help="print a machine-readable report"
        )
    page = commands.add_parser("lint", help="look for dark patterns in a page")
    lint_command.add_options(page)
    page.set_defaults(run=lint_command.execute)
    witness = commands.add_parser("witness", help="cosign other people's logs")
    witness_command.add_options(witness)
    witness.set_defaults(run=witness_command.execute)
    return parser


def _version() -> str:
    try:
        return metadata.version("consentkit")
    except metadata.PackageNotFoundError:
        return "unknown"  # run from a folder, without having been installed


def _trust(vkeys: Iterable[str]) -> Trust:
    try:
        return Trust.of(vkeys)
    except VerificationError as error:
        raise ConfigurationError(f"--key: {error}") from error


def _policy(options: argparse.Namespace) -> Policy | None:
    if options.policy is None:
        return None
    try:
        return parse_policy(_read_file(options.policy, MAX_POLICY_BYTES))
    except VerificationError as error:
        raise ConfigurationError(f"--policy {options.policy}: {error}") from error


def _history(options: argparse.Namespace, trust: Trust) -> History:
    """What others kept. A file that does not hold says nothing about the log."""
    files = [(repr(name), _read_file(name, MAX_PROOF_BYTES)) for name in options.since]
    try:
        return History.open(files, trust=trust, policy=_policy(options))
    except VerificationError as error:
        raise ConfigurationError(f"--since {error}") from error


def _layers(options: argparse.Namespace, history: History) -> list[Layer]:
    layers = [Layer(name) for name in options.layer or Layer]
    if history.vouches and Layer.HISTORY not in layers:
        raise ConfigurationError(
            "--since and --policy need --layer history as well, or no --layer at all"
        )
    if layers == [Layer.HISTORY] and not history.vouches:
        raise ConfigurationError("--layer history alone needs --since or --policy")
    return layers


def _verify(options: argparse.Namespace) -> int:
    """Check a log, and report layer by layer."""
    trust = _trust(options.key)
    history = _history(options, trust)
    layers = _layers(options, history)
    with closing(open_source(options.log)) as source, _ProgressBar() as bar:
        examination = Examination(
            source, trust=trust, history=history, layers=layers, progress=bar.draw
        )
        for _ in examination.find_faults():
            bar.note_fault()
    report = examination.report()
    if options.json:
        _print_json(report.to_dict())
    else:
        _print_lines(report.lines())
    return _HOLDS if report.holds else _FAILS


def _receipt(options: argparse.Namespace) -> int:
    """Check a receipt, and say in plain words what it proves."""
    try:
        compared = _open_receipt(options)
    except VerificationError as error:
        if options.json:
            _print_json(_failed_receipt(error))
        else:
            _print_lines([f"receipt, step {error.step}: {error}", "DOES NOT HOLD"])
        return _FAILS
    if options.json:
        _print_json(compared.to_dict())
    else:
        _print_lines(compared.lines())
    return _HOLDS if compared.holds else _FAILS


def _open_receipt(options: argparse.Namespace) -> Comparison:
    """The receipt by itself, or held against the log if one is given."""
    trust, policy = _trust(options.key), _policy(options)
    data, disclosures = _read_file(options.file, MAX_PROOF_BYTES), None
    if not is_promise(data):
        _expect_proof(options.file, data)
    if options.disclosures is not None:
        disclosures = _read_file(options.disclosures, _MAX_DISCLOSURES_BYTES)
    if options.log is not None:
        with closing(open_source(options.log)) as source:
            return compare_with_log(
                data,
                source=source,
                trust=trust,
                policy=policy,
                disclosures=disclosures,
            )
    if is_promise(data):
        raise ConfigurationError(
            f"{options.file} is a promise; only a log can bear it out: give --log"
        )
    return Comparison(
        verify_receipt(data, trust=trust, disclosures=disclosures, policy=policy), ()
    )


def _expect_proof(name: str, data: bytes) -> None:
    """Refuse another kind of file: it says nothing about any log."""
    first, _, _ = data.partition(b"\n")
    if first == PROOF_HEADER:
        return
    if first in {PROOF_HEADER + b"\r", LEAF_HEADER + b"\r"}:
        raise ConfigurationError(
            f"{name}: the file was changed in transfer, its line endings are CRLF "
            "where LF was written; fetch it again as a binary file"
        )
    raise ConfigurationError(
        f"{name}: expected a .tlog-proof file, whose first line is "
        f"{PROOF_HEADER.decode()!r}"
    )


def _failed_receipt(error: VerificationError) -> dict[str, Any]:
    finding = {
        "layer": "receipt",
        "step": error.step,
        "entry": error.entry,
        "what": str(error),
    }
    return {"findings": [finding], "holds": False}


def _read_file(name: str, limit: int) -> bytes:
    """The bytes of a small file, one more than ``limit`` at most."""
    try:
        with Path(name).open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise ConfigurationError(f"{name}: {error.strerror}") from error


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def _print_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


class _ProgressBar:
    """How far it has come, on a terminal only, and gone when it is done."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._faults = 0
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._write("")

    def note_fault(self) -> None:
        self._faults += 1

    def draw(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._shown or now < self._next:
            return
        self._next = now + _BAR_SECONDS
        filled = _BAR_WIDTH * done // total
        bar = "#" * filled + "." * (_BAR_WIDTH - filled)
        self._write(f"{bar} {done}/{total} entries, {self._faults} findings")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
