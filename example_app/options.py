"""What ``python -m example_app`` can be told on its command line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["INSTANCE_VARIABLE", "Options", "instance_folder", "parse_options"]

INSTANCE_VARIABLE = "EXAMPLE_APP_INSTANCE"

_FIRST_PORT = 1024  # below it, only root may listen
_LAST_PORT = 65535 - 100  # room above it to look for free ones


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where the three processes listen, where they keep their files, how to say so."""

    port: int
    instance: Path
    as_json: bool


def instance_folder() -> Path:
    """The folder that holds all state: ``EXAMPLE_APP_INSTANCE``, or ``./instance``."""
    return Path(os.environ.get(INSTANCE_VARIABLE) or "instance").resolve()


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """The options in ``arguments``, or in ``sys.argv``.

    Raises:
        SystemExit: they cannot be understood (code 2), or ask for help (code 0).
    """
    parser = argparse.ArgumentParser(
        prog="python -m example_app",
        description="Start the wallet, its credit scorer and its partner shops.",
        epilog="Stop all of it with Ctrl-C. Delete the instance folder to start anew.",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=5000,
        metavar="N",
        help="first port to try, on 127.0.0.1 only; the next free one is taken "
        "if it is in use (default: %(default)s)",
    )
    parser.add_argument(
        "--instance",
        type=Path,
        default=None,
        metavar="DIR",
        help=f"folder for databases, keys and logs (default: ${INSTANCE_VARIABLE}, "
        "else ./instance)",
    )
    parser.add_argument(
        "--json",
        dest="as_json",
        action="store_true",
        help="print addresses and sign-ins as one line of JSON, for a program to read",
    )
    given = parser.parse_args(arguments)
    instance = given.instance.resolve() if given.instance else instance_folder()
    return Options(port=given.port, instance=instance, as_json=given.as_json)


def _port(text: str) -> int:
    # int() would also take "1_0" and digits of other scripts.
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"a port is a number, got {text!r:.20}")
    if not _FIRST_PORT <= int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(
            f"a port is between {_FIRST_PORT} and {_LAST_PORT}, got {text:.20}"
        )
    return int(text)
