"""``consentkit lint``: what is read, what is said, with which exit status."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from pathlib import Path

import pytest

from consentkit.errors import InvalidRequestError
from consentkit.lint import lint
from consentkit.lint import source
from consentkit.lint.catalogue import slugs
from consentkit.lint.command import run
from consentkit.lint.sarif import format_sarif

GOOD = Path(__file__).parent / "pages" / "good-share-en.html"
BAD = Path(__file__).parent / "pages" / "bad-shame-en.html"
CHINESE = Path(__file__).parent / "pages" / "bad-shame-zh.html"


class Site(BaseHTTPRequestHandler):
    """Answers with a page, something else, or a redirect to a file."""

    def do_GET(self) -> None:
        body, kind, status = BAD.read_bytes(), "text/html; charset=utf-8", 200
        if self.path == "/gbk":
            text = CHINESE.read_text("utf-8")
            body, kind = text.encode("gb18030"), "text/html; charset=gb2312"
        elif self.path == "/cookie":
            body = self.headers["Cookie"].encode()
        elif self.path == "/data":
            kind = "application/json"
        elif self.path == "/gone":
            status = 410
        elif self.path == "/file":
            status = 302
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Location", f"file://{BAD}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_good_page_exits_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(GOOD)]) == 0

    assert capsys.readouterr().out == (
        "1 question, 0 errors, 0 warnings; 44 rules checked\n"
    )


def test_a_broken_rule_exits_with_one_and_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([str(BAD)]) == 1

    said = capsys.readouterr().out
    assert said.startswith('D15 error  div[role="dialog"] > button “No thanks,')
    assert "    do: Say only no" in said
    assert said.endswith("1 question, 1 error, 0 warnings; 44 rules checked\n")


def test_warnings_alone_exit_with_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    text = GOOD.read_text("utf-8")
    page.write_text(text.replace("one price quote", "offers as needed"), "utf-8")

    assert run([str(page)]) == 0
    assert "D22 warn" in capsys.readouterr().out


def test_a_page_without_a_question_says_that_nothing_was_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>Good morning.</p>", "utf-8")

    assert run([str(page)]) == 0
    assert capsys.readouterr().out.startswith("no question about consent found")


def test_the_report_for_programs_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--json", str(CHINESE)]) == 1

    report = json.loads(capsys.readouterr().out)
    (finding,) = report["findings"]
    assert set(finding) == {"rule", "severity", "where", "why", "do", "source"}
    assert (finding["rule"], finding["severity"]) == ("D15", "error")
    assert report["questions"] == 1
    assert "D15" in report["rules_checked"]


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BAD.read_bytes())))

    assert run(["-"]) == 1


def test_the_language_can_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text(GOOD.read_text("utf-8").replace(' lang="en"', ""), "utf-8")

    assert run([str(page), "--lang", "zh"]) == 1
    assert "D33" in capsys.readouterr().out


def test_an_address_is_fetched(site: str) -> None:
    assert run([f"{site}/page"]) == 1


def test_a_page_in_another_encoding_is_read_as_a_browser_reads_it(
    site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([f"{site}/gbk"]) == 1
    assert "残忍" in capsys.readouterr().out


UNREADABLE = {
    "no such file": "/nowhere/page.html",
    "no such address": "http://127.0.0.1:1/",
    "no address at all": "http://[",
}


@pytest.mark.parametrize("target", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_exits_with_two(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([target]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("consentkit: expected a file, an http(s) address or -")
    assert target in said.err


def test_wrong_use_exits_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(["--format", "xml", "page.html"])

    assert caught.value.code == 2
    assert run([]) == 2
    assert "a page to judge or --walk URL, got neither" in capsys.readouterr().err


MISUSED = {
    "a walk in a file": ["--walk", "page.html"],
    "a cookie without a value": [str(GOOD), "--cookie", "secret"],
    "a report that cannot be written": [str(GOOD), "--sarif", "/no/such/folder/x"],
    "a walk to nobody": ["--walk", "http://127.0.0.1:9/"],
}


@pytest.mark.parametrize("args", MISUSED.values(), ids=MISUSED.keys())
def test_what_cannot_be_done_is_told_without_secrets(
    args: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(args) == 2

    said = capsys.readouterr().err
    assert said.startswith("consentkit: ")
    assert "secret" not in said


def test_without_playwright_the_browser_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)

    assert run(["--browser", str(GOOD)]) == 2

    assert "pip install 'consentkit[lint]'" in capsys.readouterr().err


def test_a_cookie_goes_with_the_request(site: str) -> None:
    assert source.read_source(f"{site}/cookie", cookies={"a": "b"}).html == "a=b"


def test_sarif_is_written_as_the_standard_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The properties that SARIF 2.1.0 §3.13, §3.14, §3.19, §3.27 and §3.49 require."""
    file = tmp_path / "report.sarif"

    assert run([str(BAD), "--sarif", str(file), "--format", "sarif"]) == 1

    report = json.loads(file.read_text("utf-8"))
    assert report == json.loads(capsys.readouterr().out)
    assert report["version"] == "2.1.0"
    (whole,) = report["runs"]
    rules = whole["tool"]["driver"]["rules"]
    assert whole["tool"]["driver"]["name"] == "consentkit lint"
    assert [rule["id"] for rule in rules] == ["D15"]
    (result,) = whole["results"]
    assert result["ruleId"] == rules[result["ruleIndex"]]["id"]
    assert result["level"] == "error"
    assert result["message"]["text"].startswith("the no makes the person say")
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == str(BAD)
    assert "button" in place["logicalLocations"][0]["fullyQualifiedName"]


def test_a_warning_is_a_warning_in_sarif_too() -> None:
    page = GOOD.read_text("utf-8").replace("<form", "<video></video><form", 1)

    report = json.loads(format_sarif(lint(page), page="p", slugs=slugs()))

    assert {r["level"] for r in report["runs"][0]["results"]} == {"warning"}


@pytest.mark.parametrize("path", ["data", "gone", "file"])
def test_only_a_page_is_accepted_from_an_address(site: str, path: str) -> None:
    """Neither another type, nor an error, nor a redirect out of the web."""
    with pytest.raises(InvalidRequestError):
        source.read_source(f"{site}/{path}")


def test_a_page_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 10)
    page = tmp_path / "page.html"
    page.write_bytes(b"x" * 11)

    with pytest.raises(InvalidRequestError, match="at most 10 bytes"):
        source.read_source(str(page))


ENCODED = {
    "utf-8": "是".encode(),
    "utf-8 with a mark": b"\xef\xbb\xbf" + "是".encode(),
    "utf-16 with a mark": "是".encode("utf-16"),
    "declared": b"<meta charset=GBK>" + "是".encode("gbk"),
    "declared, old form": (
        b'<meta http-equiv="Content-Type" content="text/html; charset=gb2312">'
        + "是".encode("gb2312")
    ),
    "declared, but unknown": b"<meta charset=utf-7>" + "是".encode(),
}


@pytest.mark.parametrize("data", ENCODED.values(), ids=ENCODED.keys())
def test_the_encoding_is_found(data: bytes, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(data)

    assert source.read_source(str(page)).html.endswith("是")


def test_a_profile_without_a_browser_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["--profile", "kr", "page.html"]) == 2

    assert "expected --browser with --profile" in capsys.readouterr().err
