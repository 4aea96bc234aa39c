"""Reading a log from a folder and from a web server."""

from __future__ import annotations

import base64
import http.client
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from consentkit.audit import source as limits
from consentkit.audit.bundle import FolderSource
from consentkit.audit.bundle import Source
from consentkit.audit.bundle import open_source
from consentkit.audit.http_source import HttpSource
from consentkit.audit.verify import find_faults
from consentkit.audit.verify import verify_log
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import VerificationError

from .builder import whole_log

LOG = whole_log()
FILES = LOG.files(4)


class Server(ThreadingHTTPServer):
    """Serves ``files`` under ``/log/``; keeps what it was asked with."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = dict(FILES)
        self.answers: dict[str, int] = {}
        self.connections: set[object] = set()
        self.credentials: set[str | None] = set()
        self.hangs_up = False

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.connections.add(self.client_address)
        self.server.credentials.add(self.headers["Authorization"])
        path = self.path.removeprefix("/log/")
        body = self.server.files.get(path, b"")
        status = self.server.answers.get(
            path, 200 if path in self.server.files else 404
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/log/checkpoint")
        self.end_headers()
        self.wfile.write(body)
        # Hang up as servers do with idle connections: without saying so.
        self.close_connection = self.server.hangs_up

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by the base class
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


@pytest.fixture
def source(server: Server) -> Iterator[HttpSource]:
    with closing(HttpSource(f"http://127.0.0.1:{server.port}/log/")) as opened:
        yield opened


@pytest.mark.requirement("R99")
def test_a_folder_is_read_and_listed(folder: Path) -> None:
    source = open_source(str(folder))

    assert isinstance(source, FolderSource)
    assert set(source.paths()) == set(FILES)
    assert all(source.read(path) == data for path, data in FILES.items())
    assert verify_log(source, trust=LOG.trust()).size == len(LOG.leaves)


def test_files_of_one_directory_are_listed_in_a_row(folder: Path) -> None:
    parents = [str(Path(path).parent) for path in FolderSource(folder).paths()]

    runs = [
        one
        for one, before in zip(parents, ["", *parents], strict=False)
        if one != before
    ]
    assert len(runs) == len(set(runs))


def test_what_is_no_plain_file_in_a_folder_is_a_finding(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "elsewhere").symlink_to("/")
    (folder / "checkpoint").rename(folder / "checkpoint.bak")
    (folder / "checkpoint").mkdir()

    source = FolderSource(folder)

    assert {"pipe", "elsewhere"} <= set(source.paths())
    for path in ("pipe", "checkpoint"):
        with pytest.raises(VerificationError, match="regular file"):
            source.read(path)
    with pytest.raises(VerificationError, match="not there"):
        source.read("checkpoint.bak/x")


def test_a_file_that_no_log_can_have_is_not_read(
    folder: Path, source: HttpSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "tile/0/000.p/4"
    size = len(FILES[path])
    for each in (FolderSource(folder), source):
        monkeypatch.setattr(limits, "MAX_FILE_BYTES", size)
        assert each.read(path) == FILES[path]
        monkeypatch.setattr(limits, "MAX_FILE_BYTES", size - 1)
        with pytest.raises(
            VerificationError, match=f"{path} is larger than the {size - 1} bytes"
        ):
            each.read(path)
        with pytest.raises(VerificationError, match=r"0/000.p/5 is not there"):
            each.read("tile/0/000.p/5")


def test_of_a_file_that_is_too_large_no_more_is_taken_than_shows_it(
    server: Server, source: HttpSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is left of it is not read as the answer to the next question."""
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 1_000)
    server.files["checkpoint"] = b"x" * 5_000_000

    with pytest.raises(VerificationError, match="larger"):
        source.read("checkpoint")
    assert source.read("tile/0/000.p/4") == FILES["tile/0/000.p/4"]
    assert len(server.connections) == 2


def test_a_list_of_files_may_be_longer_than_any_of_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "MANIFEST").write_bytes(b"x" * 150)
    (folder / "keys").write_bytes(b"x" * 150)
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr(limits, "MAX_MANIFEST_BYTES", 150)

    assert len(FolderSource(folder).read("MANIFEST")) == 150
    with pytest.raises(VerificationError, match="keys is larger than the 100 bytes"):
        FolderSource(folder).read("keys")


def test_a_folder_that_cannot_be_read_is_unavailable_and_no_evidence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(LogUnavailableError, match="Permission denied"):
        FolderSource(folder).read("checkpoint")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(LogUnavailableError, match="Permission denied"):
        list(FolderSource(folder).paths())


@pytest.mark.requirement("R99")
def test_a_log_behind_a_web_address_is_verified_over_one_connection(
    server: Server, source: HttpSource
) -> None:
    assert verify_log(source, trust=LOG.trust()).size == len(LOG.leaves)
    assert len(server.connections) == 1
    assert server.credentials == {None}


def test_a_connection_that_the_server_closed_is_opened_again(
    server: Server, source: HttpSource
) -> None:
    server.hangs_up = True

    assert list(find_faults(source, trust=LOG.trust())) == []
    assert len(server.connections) > 1


def test_user_and_password_in_the_address_become_a_header_and_no_message(
    server: Server,
) -> None:
    address = f"http://auditor%40x:p%3Aw@127.0.0.1:{server.port}/log"
    with closing(HttpSource(address)) as source:
        source.read("checkpoint")
        server.answers["checkpoint"] = 403
        with pytest.raises(LogUnavailableError) as caught:
            source.read("checkpoint")

    token = base64.b64encode(b"auditor@x:p:w").decode()
    assert server.credentials == {f"Basic {token}"}
    assert "p%3Aw" not in str(caught.value)
    assert source.name == f"http://127.0.0.1:{server.port}/log"


@pytest.mark.parametrize("status", [301, 302, 401, 403, 429, 500, 503])
def test_an_answer_that_is_no_file_says_nothing_about_the_log(
    server: Server, source: HttpSource, status: int
) -> None:
    server.answers["checkpoint"] = status

    with pytest.raises(LogUnavailableError, match=f"got {status}"):
        verify_log(source, trust=LOG.trust())


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_the_server_does_not_have_is_evidence(
    server: Server, source: HttpSource, status: int
) -> None:
    server.answers["tile/0/000.p/17"] = status

    found = list(find_faults(source, trust=LOG.trust()))

    assert [finding.step for finding in found] == ["tiles"]


@pytest.mark.requirement("R99")
@pytest.mark.parametrize("status", [404, 410])
def test_an_address_without_a_checkpoint_says_nothing_about_any_log(
    server: Server, source: HttpSource, status: int
) -> None:
    server.answers["checkpoint"] = status

    with pytest.raises(
        LogUnavailableError, match=f"{source.name}/checkpoint .*own address, with"
    ):
        verify_log(source, trust=LOG.trust())
    with pytest.raises(LogUnavailableError, match="https://name:password@host/…"):
        list(find_faults(source, trust=LOG.trust()))


@pytest.mark.parametrize("status", [401, 403, 404])
def test_who_is_kept_out_is_told_how_to_give_a_name_or_to_look_at_it(
    server: Server, source: HttpSource, status: int
) -> None:
    server.answers["checkpoint"] = status
    with pytest.raises(LogUnavailableError, match="https://name:password@host/…"):
        source.read("checkpoint")

    address = f"http://auditor:wrong@127.0.0.1:{server.port}/log"
    with (
        closing(HttpSource(address)) as named,
        pytest.raises(LogUnavailableError, match="name and password in the address"),
    ):
        named.read("checkpoint")


def test_a_folder_without_a_checkpoint_says_nothing_about_any_log(
    folder: Path,
) -> None:
    (folder / "checkpoint").unlink()

    with pytest.raises(
        LogUnavailableError, match=f"{folder}/checkpoint is not there.*own folder, with"
    ):
        verify_log(FolderSource(folder), trust=LOG.trust())


def test_a_web_address_cannot_be_listed(server: Server, source: HttpSource) -> None:
    server.files["surprise"] = b""

    unlisted: Source = source
    assert unlisted.paths() is None
    assert list(find_faults(source, trust=LOG.trust())) == []


def test_a_server_that_is_not_there_is_unavailable(
    server: Server, source: HttpSource
) -> None:
    server.shutdown()
    server.server_close()

    with pytest.raises(
        LogUnavailableError,
        match=r"checkpoint cannot be reached: ConnectionRefusedError",
    ):
        source.read("checkpoint")


NO_LOCATION = {
    "a folder that is not there": "/nonexistent",
    "a file": __file__,
    "another scheme": "ftp://logs.example/one",
    "no host": "http:///log",
    "a bad port": "http://logs.example:x/",
    "a query": "https://logs.example/?a=b",
    "a fragment": "https://logs.example/#a",
}


@pytest.mark.parametrize("case", NO_LOCATION)
def test_what_is_neither_folder_nor_address_is_wrong_use(case: str) -> None:
    with pytest.raises(ConfigurationError):
        open_source(NO_LOCATION[case])


def test_a_secure_address_is_never_asked_in_the_clear_nor_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[str, str, int | None, float]] = []
    for name in ("HTTPSConnection", "HTTPConnection"):

        def connect(
            host: str, port: int | None, *, timeout: float, name: str = name
        ) -> None:
            made.append((name, host, port, timeout))

        monkeypatch.setattr(http.client, name, connect)

    names = [
        open_source(each).name
        for each in ("https://logs.example:8443/one/", "http://logs.example/one")
    ]

    assert names == ["https://logs.example:8443/one", "http://logs.example/one"]
    assert [each[:3] for each in made] == [
        ("HTTPSConnection", "logs.example", 8443),
        ("HTTPConnection", "logs.example", None),
    ]
    assert all(0 < each[3] < 120 for each in made)
