"""``consentkit …`` for auditors: needs neither Flask nor a database nor our servers.

Exit status: 0 it holds · 1 it does not hold (which step, which entry), or the copy is
not as it was exported · 2 the input cannot be read, or the command was used wrongly,
such as with a handle that is not in the log. Findings go to standard output,
everything else to standard error, so that ``--json`` can be piped. Who reads the pipe
may stop early, as ``head`` does: that ends the command without a word, with the status
that a shell gives to a program that a closed pipe has ended (141).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit import Comparison
from consentkit.audit import Examination
from consentkit.audit import History
from consentkit.audit import Layer
from consentkit.audit import Trust
from consentkit.audit import as_of_command
from consentkit.audit import compare_with_log
from consentkit.audit import open_source
from consentkit.audit import verify_receipt
from consentkit.audit.progress import ProgressBar
from consentkit.audit.promise import is_promise
from consentkit.audit.signatures import positive
from consentkit.audit.signatures import usable_cpus
from consentkit.audit.timestamps import MAX_REPLY_BYTES
from consentkit.audit.timestamps import TimeStamp
from consentkit.audit.timestamps import check_roots
from consentkit.audit.timestamps import load_library
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
_CUT_OFF = 128 + 13  # by SIGPIPE; neither 0 nor 1, as nobody read the report
_MAX_DISCLOSURES_BYTES = 1024 * 1024  # some dozens of facts of 16 KiB at most
_MAX_ROOTS_BYTES = 1024 * 1024  # all root certificates of a browser are half of it


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(argv)
    try:
        status: int = options.run(options)
        sys.stdout.flush()  # here, since at the exit nobody could catch the error
    except BrokenPipeError:
        _forget_output()
        return _CUT_OFF
    except (ConfigurationError, LogUnavailableError) as error:
        sys.stderr.write(f"consentkit: {error}\n")
        return _UNUSABLE
    return status


def _forget_output() -> None:
    """What is still to be written goes nowhere (Python's library, note on SIGPIPE)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="consentkit",
        description="Check what a consent log says, and whether a page asks honestly.",
        epilog="exit status: 0 holds, 1 does not hold, 2 unreadable or wrong use",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="check a whole log")
    _add_verify_options(verify)
    verify.set_defaults(run=_verify)
    receipt = commands.add_parser("receipt", help="check one person's receipt")
    _add_receipt_options(receipt)
    receipt.set_defaults(run=_receipt)
    as_of = commands.add_parser(
        "as-of", help="on what basis did somebody get something, at a moment?"
    )
    as_of_command.add_options(as_of)
    as_of.set_defaults(run=as_of_command.execute)
    page = commands.add_parser("lint", help="look for dark patterns in a page")
    lint_command.add_options(page)
    page.set_defaults(run=lint_command.execute)
    witness = commands.add_parser("witness", help="cosign other people's logs")
    witness_command.add_options(witness)
    witness.set_defaults(run=witness_command.execute)
    return parser


def _add_verify_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("log", metavar="DIR|URL", help="where its files are")
    command.add_argument(
        "--layer",
        action="append",
        choices=[layer.value for layer in Layer],
        help="check this layer only; may be repeated (default: all)",
    )
    command.add_argument(
        "--since",
        metavar="CHECKPOINT|RECEIPT",
        action="append",
        default=[],
        help="a file kept from earlier that the log has to continue; repeatable",
    )
    command.add_argument(
        "--previous",
        metavar="DIR|URL",
        action="append",
        default=[],
        help="the files of the log that this one continues; then of the one before",
    )
    command.add_argument(
        "--jobs",
        metavar="N",
        type=positive,
        default=usable_cpus(),
        help="processes that check signatures (default: the CPUs there are to use)",
    )
    _add_trust_options(command)


def _add_receipt_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file", metavar="FILE", help="a .tlog-proof file, or a promise (with --log)"
    )
    command.add_argument(
        "--log", metavar="DIR|URL", help="look for it in the log as it is now"
    )
    command.add_argument(
        "--disclosures", metavar="FILE", help="the JSON file beside it, if shown"
    )
    command.add_argument(
        "--timestamp", metavar="FILE", help="a .tsr file over the receipt's checkpoint"
    )
    _add_trust_options(command)


def _add_trust_options(command: argparse.ArgumentParser) -> None:
    """Whom to believe, and how to tell what came of it."""
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
        "--tsa-root",
        metavar="FILE",
        help="the PEM certificates that time stamps have to lead to",
    )
    command.add_argument(
        "--json", action="store_true", help="print a machine-readable report"
    )


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


def _tsa_roots(options: argparse.Namespace) -> bytes | None:
    """The roots of time stamps, if any were given and can be used."""
    if options.tsa_root is None:
        return None
    roots = _read_file(options.tsa_root, _MAX_ROOTS_BYTES)
    load_library()
    try:
        check_roots(roots)
    except ConfigurationError as error:
        raise ConfigurationError(f"--tsa-root {options.tsa_root}: {error}") from error
    return roots


def _stamp(options: argparse.Namespace) -> TimeStamp | None:
    """The time stamp that was given with a receipt, and the roots to judge it by."""
    roots = _tsa_roots(options)
    if roots is None and options.timestamp is None:
        return None
    if roots is None or options.timestamp is None:
        raise ConfigurationError(
            "a receipt's --timestamp needs --tsa-root, and the other way round"
        )
    return TimeStamp(_read_file(options.timestamp, MAX_REPLY_BYTES), roots)


def _history(options: argparse.Namespace, trust: Trust) -> History:
    """What others kept. A file that does not hold says nothing about the log."""
    files = [(repr(name), _read_file(name, MAX_PROOF_BYTES)) for name in options.since]
    try:
        return History.open(
            files, trust=trust, policy=_policy(options), tsa_roots=_tsa_roots(options)
        )
    except VerificationError as error:
        raise ConfigurationError(f"--since {error}") from error


def _layers(options: argparse.Namespace, history: History) -> list[Layer]:
    layers = [Layer(name) for name in options.layer or Layer]
    asked = history.vouches or history.tsa_roots is not None
    if asked and Layer.HISTORY not in layers:
        raise ConfigurationError(
            "--since, --policy and --tsa-root need --layer history as well, or no "
            "--layer at all"
        )
    if options.previous and Layer.RECORDS not in layers:
        raise ConfigurationError("--previous needs --layer records as well")
    if layers == [Layer.HISTORY] and not history.vouches:
        raise ConfigurationError("--layer history alone needs --since or --policy")
    return layers


def _verify(options: argparse.Namespace) -> int:
    """Check a log, and report layer by layer."""
    trust = _trust(options.key)
    history = _history(options, trust)
    layers = _layers(options, history)
    with ExitStack() as sources, ProgressBar() as bar:
        source, *previous = [
            sources.enter_context(closing(open_source(each)))
            for each in (options.log, *options.previous)
        ]
        examination = Examination(
            source,
            trust=trust,
            history=history,
            layers=layers,
            progress=bar.draw,
            jobs=options.jobs,
            previous=previous,
        )
        with closing(examination.find_faults()) as faults:
            for fault in faults:
                if not fault.stray:
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
    stamp = _stamp(options)
    if not is_promise(data):
        _expect_proof(options.file, data)
    elif stamp is not None:
        raise ConfigurationError(
            f"{options.file} is a promise: no checkpoint of it was time-stamped"
        )
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
                stamp=stamp,
            )
    if is_promise(data):
        raise ConfigurationError(
            f"{options.file} is a promise; only a log can bear it out: give --log"
        )
    return Comparison(
        verify_receipt(
            data, trust=trust, disclosures=disclosures, policy=policy, stamp=stamp
        ),
        (),
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
