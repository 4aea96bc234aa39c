"""The pytest plugin finds what talks to a recipient without a share, by any library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

APP = """
from tests.service.guarded import led_to
from tests.recipient_server import serve_recipient

serving = serve_recipient()
scorer = serving.__enter__()
HOST, PORT = "127.0.0.1", int(scorer.url.split(":")[2].split("/")[0])
"""
CONFTEST = """
import sys

def pytest_unconfigure():
    serving = getattr(sys.modules.get("shop"), "serving", None)
    if serving:
        serving.__exit__(None, None, None)
"""
DECLARED = """
from consentkit import ConsentKit
consent = ConsentKit(led_to({where}))
"""

BY = {
    "requests": "requests.post(URL, data=b'x')",
    "urllib3": "urllib3.PoolManager().request('POST', URL, body=b'x')",
    "httpx": "httpx.post(URL, content=b'x')",
    "http.client": "http.client.HTTPConnection(NAME, PORT).request('POST', '/', b'x')",
    "socket": "socket.create_connection((NAME, PORT)).sendall(b'x')",
    "connect": "socket.socket().connect((NAME, PORT))",
    "connect_ex": "socket.socket().connect_ex((NAME, PORT))",
    "urllib": "urllib.request.urlopen(URL, b'x')",
    "asyncio": "asyncio.run(asyncio.open_connection(NAME, PORT))",
    "httpx, asynchronous": "asyncio.run(httpx.AsyncClient().post(URL, content=b'x'))",
    "datagram": (
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', (socket.gethostbyname("
        "NAME), PORT))"
    ),
    "thread": ("ThreadPoolExecutor().submit(requests.post, URL, data=b'x').result()"),
}
IMPORTS = """
import asyncio, http.client, socket, urllib.request
from concurrent.futures import ThreadPoolExecutor
import httpx, requests, urllib3
"""


class Project:
    """A project of somebody's, with its tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def run(self, *options: str) -> str:
        done = subprocess.run(  # noqa: S603  our own interpreter, our own tests
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *("-p", "no:xdist", "-p", "no:playwright", "-p", "no:cov"),
                *("-o", f"pythonpath={self.folder} {ROOT}", *options),
            ],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("conftest.py", CONFTEST)
    project.write("pytest.ini", "[pytest]\nconsentkit_watch = shop:consent\n")
    return project


@pytest.mark.requirement("R67")
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_an_ungated_call_is_found_whatever_makes_it(
    project: Project, name: str
) -> None:
    """By address and by name; swallowed or not; and nothing reaches the recipient."""
    where = "scorer.url" if name == "127.0.0.1" else "f'//localhost:{PORT}'"
    project.write("shop.py", APP + DECLARED.format(where=where))
    tests = "".join(
        f"\ndef test_{number}_swallowed():\n"
        f"    with suppress(Exception):\n        {call}\n"
        f"\ndef test_{number}():\n    {call}\n"
        for number, call in enumerate(BY.values())
    )
    project.write(
        "test_shop.py",
        f"{IMPORTS}from contextlib import suppress\nfrom shop import PORT, scorer\n"
        f"NAME = {name!r}\nURL = f'http://{{NAME}}:{{PORT}}/'\n{tests}"
        "\ndef test_nothing_came():\n    assert scorer.got == []\n",
    )

    said = project.run()

    assert f"{2 * len(BY)} failed, 1 passed" in said, said
    for number in range(len(BY)):
        told = f"test_shop.py::test_{number}_swallowed: talked to a recipient"
        assert told in said, list(BY)[number]
    assert f"'{name}' belongs to recipient 'acme-credit', and no share" in said


ROUNDABOUT = """
import http.client, io, os, socket, ssl, tempfile, urllib.request
import httpx, pytest, requests, urllib3
from shop import PORT, scorer

NAME = "api.acme-credit.example"
PROXY = f"http://127.0.0.1:{PORT}"

@pytest.fixture(autouse=True)
def proxied(request, monkeypatch):
    if "proxy" in request.node.name:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, PROXY)

def test_WRONG_requests_by_a_proxy():
    requests.post(f"http://{NAME}/", data=b"x")

def test_WRONG_requests_by_a_proxy_encrypted():
    requests.post(f"https://{NAME}/", data=b"x")

def test_WRONG_httpx_by_a_proxy():
    httpx.post(f"http://{NAME}/", content=b"x")

def test_WRONG_httpx_by_a_proxy_encrypted():
    httpx.post(f"https://{NAME}:443/", content=b"x")

def test_WRONG_urllib_by_a_proxy():
    urllib.request.urlopen(f"http://{NAME}/", b"x")

def test_WRONG_urllib3_by_a_proxy():
    urllib3.ProxyManager(PROXY).request("POST", f"http://{NAME}/", body=b"x")

def test_WRONG_by_its_address_under_its_name():
    requests.post(PROXY, data=b"x", headers={"Host": NAME.upper() + "."})

def test_WRONG_by_hand_in_parts():
    with socket.create_connection(("127.0.0.1", PORT)) as open_one:
        head = f"POST / HTTP/1.1\\r\\nX: y\\r\\nhOST:\\t{NAME}:80\\r\\n\\r\\n".encode()
        open_one.sendmsg([memoryview(head), b"x"])

def test_another_name_by_a_proxy():
    assert requests.post("http://other.example/", data=b"x").status_code == 204

def test_bytes_that_are_no_request():
    with socket.create_connection(("127.0.0.1", PORT)) as open_one:
        open_one.sendall(b"")
        open_one.sendall(f"Host: {NAME}".encode())
        open_one.sendmsg([])

def test_what_came():
    assert len(scorer.got) == 1
"""


@pytest.mark.requirement("R67")
def test_a_request_that_names_a_recipient_is_found_wherever_it_is_sent(
    project: Project,
) -> None:
    """By a proxy of the environment's, or to an address that nobody declared."""
    declared = DECLARED.format(where="'//api.acme-credit.example'")
    project.write("shop.py", APP + declared)
    project.write("test_shop.py", ROUNDABOUT)

    said = project.run("-rA", "--tb=no")

    assert "8 failed, 3 passed" in said, said
    assert said.count("FAILED test_shop.py::test_WRONG") == 8


ADDRESSES = """
import socket, tempfile
from contextlib import suppress
from consentkit.service.live import live
from shop import PORT, consent
from tests.service.guarded import shared
from tests.service.wallet import CREDIT_SCORE, Wallet

def test_WRONG_mapped_into_the_other_family():
    socket.socket(socket.AF_INET6).connect(("::ffff:127.0.0.1", PORT))

def test_WRONG_as_a_number():
    socket.create_connection(("0x7f000001", PORT))

def test_WRONG_a_datagram_to_the_other_family():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagrams:
        datagrams.sendto(b"x", ("::ffff:7f00:1", PORT))

def test_WRONG_a_file_through_what_is_left_open(tmp_path):
    wallet = Wallet(tmp_path, declared=consent.registry)
    wallet.answer("alice", CREDIT_SCORE)
    with shared(wallet):
        kept = socket.create_connection(("127.0.0.1", PORT))
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 100)
        file.seek(0)
        kept.sendfile(file)

def test_another_port_of_the_same_machine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).sendall(b"x")
"""


@pytest.mark.requirement("R67")
def test_an_address_is_found_in_either_family_and_at_its_port_alone(
    project: Project,
) -> None:
    project.write("shop.py", APP + DECLARED.format(where="scorer.url"))
    project.write("test_shop.py", ADDRESSES)

    said = project.run("-rA", "--tb=no")

    assert "4 failed, 1 passed" in said, said
    assert said.count("FAILED test_shop.py::test_WRONG") == 4


GATED = """
import asyncio, socket
from contextlib import contextmanager
import pytest, httpx, requests
from consentkit.service.live import live
from shop import PORT, consent, scorer
from tests.service.guarded import shared
from tests.service.wallet import CREDIT_SCORE, SHOPS, Wallet

URL = f"http://localhost:{PORT}/"

@pytest.fixture
def wallet(tmp_path):
    wallet = Wallet(tmp_path, declared=consent.registry)
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("alice", SHOPS)
    return wallet

def test_in_a_share(wallet):
    with shared(wallet):
        assert requests.post(URL, data=b"x").status_code == 204

def test_asynchronous_in_a_share(wallet):
    async def post():
        async with httpx.AsyncClient() as client:
            return await client.post(URL, content=b"x")
    with shared(wallet):
        assert asyncio.run(post()).status_code == 204

def test_by_a_guarded_session(wallet):
    with shared(wallet):
        assert consent.guarded_session().post(URL, data=b"x").status_code == 204

def test_elsewhere():
    with socket.create_server((("127.0.0.1"), 0)) as server:
        socket.create_connection(server.getsockname()).sendall(b"x")

def test_WRONG_in_the_share_of_another(wallet):
    with shared(wallet, key=SHOPS):
        requests.post(URL, data=b"x")

def test_WRONG_through_a_connection_of_a_share_that_is_over(wallet):
    with shared(wallet):
        kept = socket.create_connection(("localhost", PORT))
    kept.sendall(b"x")

def test_WRONG_in_the_share_of_another_thread(wallet):
    from concurrent.futures import ThreadPoolExecutor
    with shared(wallet):
        ThreadPoolExecutor().submit(requests.post, URL, data=b"x").result()

def test_all_that_came():
    assert len(scorer.got) == 3
"""


@pytest.mark.requirement("R67")
def test_what_is_sent_in_a_share_passes_and_its_leftovers_do_not(
    project: Project,
) -> None:
    project.write("shop.py", APP + DECLARED.format(where="f'//localhost:{PORT}'"))
    project.write("test_shop.py", GATED)

    said = project.run("-rA")

    assert "3 failed, 5 passed" in said, said
    assert said.count("FAILED test_shop.py::test_WRONG") == 3


def test_a_fixture_watches_the_app_that_a_test_makes(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\n")
    project.write("shop.py", APP + DECLARED.format(where="scorer.url"))
    project.write(
        "test_shop.py",
        """
import requests, socket
from contextlib import suppress
from shop import consent, scorer

def test_unwatched():
    assert requests.post(scorer.url, data=b"x").status_code == 204

def test_watched(watch_recipients):
    watch_recipients(consent)
    with suppress(Exception):
        requests.post(scorer.url, data=b"x")

def test_unwatched_again():
    assert requests.post(scorer.url, data=b"x").status_code == 204
    assert "send" not in socket.socket.__dict__
""",
    )

    said = project.run()

    assert "3 passed, 1 error" in said, said
    assert "ERROR test_shop.py::test_watched" in said
    assert "talked to a recipient past the gate" in said


@pytest.mark.parametrize("place", ["shop:consent", "shops:consent"])
def test_a_place_where_nothing_is_is_told(project: Project, place: str) -> None:
    project.write("pytest.ini", f"[pytest]\nconsentkit_watch = {place}\n")
    project.write("shop.py", "consent = None\n")
    project.write("test_shop.py", "def test_nothing(): pass\n")

    assert "expected module:name of a ConsentKit" in project.run()
