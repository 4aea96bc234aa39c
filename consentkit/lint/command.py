"""``consentkit lint FILE|URL|-``: judge a page, or a walk through an app, and report.

Exit status: 0 no error · 1 a rule is broken · 2 the page cannot be read, or the
command was used wrongly. Warnings are reported and change nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.lint import lint
from consentkit.lint.browsing import browse
from consentkit.lint.catalogue import slugs
from consentkit.lint.finding import Findings
from consentkit.lint.flow_rules import judge_journey
from consentkit.lint.profiles import PROFILES
from consentkit.lint.report import format_json
from consentkit.lint.report import format_text
from consentkit.lint.sarif import format_sarif
from consentkit.lint.source import Source
from consentkit.lint.source import read_source
from consentkit.lint.walk import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["add_options", "execute", "run"]

_HOLDS, _FAILS, _UNUSABLE = 0, 1, 2
_ADDRESS = ("http://", "https://")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this command."""
    add = parser.add_argument
    add(
        "page",
        metavar="FILE|URL|-",
        nargs="?",
        help="the page to judge; - is standard input",
    )
    add("--lang", metavar="TAG", help="the page's language, where it names none")
    add(
        "--browser",
        action="store_true",
        help="show the page in Chromium and judge its layout as well",
    )
    add(
        "--walk",
        metavar="URL",
        help="walk through the app that answers there: it says no, yes, and takes it "
        "back, so give a test account",
    )
    add(
        "--profile",
        choices=sorted(PROFILES),
        default="",
        help="with --browser, judge by what this country asks for besides",
    )
    add(
        "--cookie",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a cookie that signs the account in; may be repeated",
    )
    add(
        "--format",
        choices=("text", "json", "sarif"),
        default="text",
        help="how the report is written",
    )
    add("--json", action="store_true", help="the same as --format json")
    add("--sarif", metavar="FILE", help="write the report as SARIF 2.1.0 there, too")


def execute(options: argparse.Namespace) -> int:
    """Do what the parsed options say and return the exit status."""
    try:
        findings = _judge(options)
        if options.sarif:
            report = _report(findings, options, "sarif")
            Path(options.sarif).write_text(f"{report}\n", "utf-8")
    except (ConfigurationError, InvalidRequestError, OSError) as error:
        sys.stderr.write(f"consentkit: {error}\n")
        return _UNUSABLE
    form = "json" if options.json else options.format
    sys.stdout.write(f"{_report(findings, options, form)}\n")
    return _FAILS if findings.errors else _HOLDS


def _judge(options: argparse.Namespace) -> Findings:
    cookies = _cookies(options.cookie)
    if options.profile and not options.browser:
        raise InvalidRequestError(
            "expected --browser with --profile: what it adds has to be measured",
            code="no-browser",
        )
    found = Findings((), questions=0, rules_checked=())
    if options.page:
        found = found.joined(_judge_page(options, cookies))
    if options.walk:
        if not options.walk.startswith(_ADDRESS):
            raise InvalidRequestError(
                f"expected --walk to begin at an http(s) address, got {options.walk!r}",
                code="not-an-address",
            )
        found = found.joined(judge_journey(walk(options.walk, cookies=cookies)))
    if not (options.page or options.walk):
        raise InvalidRequestError(
            "expected a page to judge or --walk URL, got neither: see --help",
            code="no-page",
        )
    return found


def _judge_page(options: argparse.Namespace, cookies: dict[str, str]) -> Findings:
    if options.browser and options.page.startswith(_ADDRESS):
        source = Source("", options.page)
    else:
        source = read_source(options.page, cookies=cookies)
    if options.browser:
        return browse(
            source, lang=options.lang or "", cookies=cookies, profile=options.profile
        )
    return lint(source.html, lang=options.lang, url=source.url)


def _cookies(given: Sequence[str]) -> dict[str, str]:
    pairs = [cookie.partition("=") for cookie in given]
    if not all(name and is_ for name, is_, _ in pairs):
        # The value is a secret: it is not repeated here.
        raise InvalidRequestError(
            "expected each --cookie as NAME=VALUE, got one without a name or an =",
            code="not-a-cookie",
        )
    return {name: value for name, _, value in pairs}


def _report(findings: Findings, options: argparse.Namespace, form: str) -> str:
    if form == "json":
        return format_json(findings)
    if form == "sarif":
        page = options.page or options.walk
        return format_sarif(findings, page=page, slugs=slugs())
    return format_text(findings)


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
