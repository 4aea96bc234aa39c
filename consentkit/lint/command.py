"""``consentkit lint FILE|URL|-``: judge one page and report.

Exit status: 0 no error · 1 a rule is broken · 2 the page cannot be read, or the
command was used wrongly. Warnings are reported and change nothing.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.lint import lint
from consentkit.lint.report import format_json
from consentkit.lint.report import format_text
from consentkit.lint.source import read_source

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["add_options", "execute", "run"]

_HOLDS, _FAILS, _UNUSABLE = 0, 1, 2


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this command."""
    parser.add_argument(
        "page", metavar="FILE|URL|-", help="the page to judge; - is standard input"
    )
    parser.add_argument(
        "--lang", metavar="TAG", help="the page's language, where it names none"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable report")


def execute(options: argparse.Namespace) -> int:
    """Do what the parsed options say and return the exit status."""
    try:
        source = read_source(options.page)
        findings = lint(source.html, lang=options.lang, url=source.url)
    except (ConfigurationError, InvalidRequestError) as error:
        sys.stderr.write(f"consentkit: {error}\n")
        return _UNUSABLE
    report = format_json(findings) if options.json else format_text(findings)
    sys.stdout.write(f"{report}\n")
    return _FAILS if findings.errors else _HOLDS


def run(args: Sequence[str]) -> int:
    """Parse the arguments after ``consentkit lint`` and execute them.

    Raises:
        SystemExit: with 2 when they are wrong, with 0 after ``--help``.
    """
    parser = argparse.ArgumentParser(
        prog="consentkit lint",
        description="Judge a page by the rules against dark patterns.",
        epilog="exit status: 0 no error, 1 a rule is broken, 2 unreadable or wrong use",
    )
    add_options(parser)
    return execute(parser.parse_args(args))
