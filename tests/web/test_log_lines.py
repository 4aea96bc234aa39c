"""The lines of our logger: for people and programs, of what happened, about nobody."""

from __future__ import annotations

import ast
import io
import json
import logging
import logging.config
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import consentkit
from consentkit import ConsentDeniedError
from consentkit.errors import LogUnavailableError
from consentkit.service.observing import SILENT
from consentkit.service.observing import Event
from consentkit.service.publishing import publish_all
from consentkit.testing import answer
from consentkit.web.log_lines import JsonLines
from consentkit.web.log_lines import LineObserver
from tests.processes import in_fork
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host

PACKAGE = Path(consentkit.__file__).parent
DOCS = PACKAGE.parent / "docs" / "serving.md"
HOW = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every line that we write; the witness is a program of its own."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        if place.parts[0] == "witness":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _writes(node.func):
                yield f"{place}:{node.lineno}", node


def _writes(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "_LOGGER"
        and function.attr in HOW
    )


def event_of(call: ast.Call) -> str:
    """The constant under ``event`` in a line's ``extra``; empty if it has none."""
    for keyword in call.keywords:
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
            for name, value in zip(
                keyword.value.keys, keyword.value.values, strict=True
            ):
                if isinstance(name, ast.Constant) and name.value == "event":
                    return str(value.value) if isinstance(value, ast.Constant) else "*"
    return ""


def test_every_line_names_its_event_and_the_docs_list_it() -> None:
    found = {place: event_of(call) for place, call in calls()}
    # A variable of that name is the observer's: its events are those of the list.
    lists = "web/log_lines.py"
    unnamed = [
        place for place, name in found.items() if not name and lists not in place
    ]
    assert unnamed == [], 'give each extra={"event": "…"}, and list it in the docs'
    listed = DOCS.read_text()
    assert [name for name in found.values() if f"`{name}`" not in listed and name] == []
    assert len(found) > 30


@pytest.mark.requirement("R45")
def test_no_line_prints_what_an_error_says() -> None:
    """That of a driver names the row, and that of the app's own code whom it likes."""
    printing = []
    for place, call in calls():
        given = {each.arg: ast.unparse(each.value) for each in call.keywords}
        shown = given.get("exc_info", "")
        wordless = "wordless(" in shown or "unexpected(" in shown
        is_exception = ast.unparse(call.func).endswith(".exception")
        if (shown or is_exception) and not wordless:
            printing.append(place)
    assert printing == [], "give it exc_info=wordless(error)"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a host gets that configures our logger as the docs show it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("consentkit")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(before)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def live_a_day(shop: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of everything, and a database that fails."""
    consent, client = shop.consent, shop.client(MAYA)
    answer(client, "credit-score", {"acme-credit": "given"})
    with shop.app.app_context():
        asked = {"recipient": "acme-credit", "data": {"spending"}}
        with consent.share(MAYA, "credit-score", **asked):
            pass
        with (
            pytest.raises(ConsentDeniedError),
            consent.share(TOM, "credit-score", **asked),
        ):
            pass
        consent.suspend(by="dpo@wallet.example", reason="an incident")
        consent.resume(by="dpo@wallet.example", reason="it is over")
        shop.publish()
        with monkeypatch.context() as broken:
            broken.setattr(
                type(shop.state.installation.reader), "standing", _no_database
            )
            assert not consent.check(MAYA, "credit-score", **asked)
            shop.client(MAYA).get("/consent/health/ready")
        consent.revoke(MAYA)
        consent.erase(MAYA, reason="request")
        publish_all(shop.state.installation)


def _no_database(*_key: object) -> None:
    raise LogUnavailableError("the consent database cannot be read")


def test_a_day_is_told_as_json_with_events_and_fields_and_no_person(
    tmp_path: Path, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = host(tmp_path)
    live_a_day(shop, monkeypatch)

    told = lines(written)
    by_event = {each["event"]: each for each in told}
    assert {
        "started",
        "denied",
        "switched",
        "published",
        "erased",
        "check-failed",
        "not-ready",
    } <= set(by_event)
    assert by_event["started"]["log"] == shop.state.installation.origin
    assert "journal mode" in by_event["started"]["database"]
    assert by_event["denied"]["reason"] == "not_asked"
    assert by_event["denied"]["recipient"] == "acme-credit"
    assert by_event["published"]["size"] > by_event["published"]["count"] > 0
    assert by_event["check-failed"]["error"] == "LogUnavailableError"
    assert "Traceback" in by_event["check-failed"]["exception"]
    for each in told:
        assert {"time", "level", "logger", "process", "message", "event"} <= set(each)
    for secret in (MAYA, TOM, *_ids(shop)):
        assert secret not in written.getvalue()


def _ids(shop: Host) -> list[str]:
    """Handles and ids of acts: they stand for people."""
    rows = shop.sql("SELECT id, handle FROM consent_leaf WHERE handle IS NOT NULL")
    assert rows
    return [each for row in rows for each in row]


def test_nothing_is_put_together_for_lines_that_nobody_reads(
    caplog: pytest.LogCaptureFixture,
) -> None:
    observer = LineObserver(SILENT)
    with caplog.at_level(logging.WARNING, "consentkit"):
        assert not any(observer.hears(event) for event in Event)
    with caplog.at_level(logging.INFO, "consentkit"):
        heard = {event.value for event in Event if observer.hears(event)}
    assert {"published", "denied", "switched"} <= heard
    assert "decided" not in heard  # ten thousand a second are no matter of lines


def test_a_host_takes_the_formatter_by_its_name(tmp_path: Path) -> None:
    """And for its own lines too: any logger's, whatever their fields are."""
    file = tmp_path / "lines"
    configuration = {
        "version": 1,
        "formatters": {"json": {"()": "consentkit.web.log_lines.JsonLines"}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": str(file),
                "formatter": "json",
            }
        },
        "loggers": {"of-the-host": {"handlers": ["file"], "level": "INFO"}},
    }

    def write() -> None:
        """In a fork, for it closes the handlers of everybody else."""
        logging.config.dictConfig(configuration)
        extra = {"path": tmp_path, "level": "mine"}
        logging.getLogger("of-the-host").info("two\nlines of %s", "text", extra=extra)

    in_fork(write)

    (line,) = file.read_text().splitlines()
    told = json.loads(line)
    assert told["message"] == "two\nlines of text"
    assert told["path"] == str(tmp_path)
    assert told["level"] == "info"
    assert told["time"].endswith("Z")
