"""The example app as people run it: three processes, real HTTP, one folder of files."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Person", "Running", "example_app"]

_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_TOKEN = re.compile(r'name="token" value="([^"]+)"')
_PATIENCE = 60.0  # seconds for one answer of a machine that is busy otherwise


@dataclass
class Running:
    """Addresses, sign-ins and files of one running example app."""

    wallet: str
    affiliate: str
    partner: str
    people: dict[str, str]
    auditor: str
    instance: Path

    @property
    def log_folder(self) -> Path:
        """Where the wallet writes its published log."""
        (folder,) = (self.instance / "wallet" / "consentkit" / "logs").glob("wallet*")
        return folder

    def received(self, company: str) -> list[dict[str, Any]]:
        """All that the affiliate or the partner says it got, newest first."""
        address = f"{getattr(self, company)}/received.json"
        answer = requests.get(address, timeout=_PATIENCE)
        found: list[dict[str, Any]] = answer.json()
        return found

    def flask(self, *arguments: str) -> str:
        """What ``flask --app example_app.wallet …`` prints; it has to succeed."""
        return subprocess.run(  # noqa: S603  our own interpreter, our own arguments
            [sys.executable, "-m", "flask", "--app", "example_app.wallet", *arguments],
            env={**os.environ, "EXAMPLE_APP_INSTANCE": str(self.instance)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def sign_in(self, name: str) -> Person:
        """The person whose mail address begins with ``name``, signed in."""
        email = next(each for each in self.people if each.startswith(name))
        person = Person(self.wallet)
        page = person.get("/sign-in").text
        token = _FORM_TOKEN.search(page)
        assert token
        person.session.post(
            f"{self.wallet}/sign-in",
            data={
                "email": email,
                "password": self.people[email],
                "form_token": token[1],
            },
            timeout=_PATIENCE,
        ).raise_for_status()
        return person


@dataclass
class Person:
    """Somebody with a browser that knows no JavaScript: an HTTP client and cookies."""

    wallet: str
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.wallet}{path}", timeout=_PATIENCE)

    def post(self, path: str, form: dict[str, str]) -> requests.Response:
        return self.session.post(f"{self.wallet}{path}", data=form, timeout=_PATIENCE)

    def press(self, path: str) -> requests.Response:
        """Press the one button of the wallet's own that a page has."""
        token = _FORM_TOKEN.findall(self.get(path).text)[-1]
        return self.post(path, {"form_token": token})

    def answer(self, purpose: str, said: str, **boxes: str) -> requests.Response:
        """Open the question and press one of its buttons."""
        page = self.get(f"/consent/ask/{purpose}").text
        button = re.search(rf'name="(choice\.{purpose}\.[^"]+)" value="{said}"', page)
        assert button, f"the question has no button for {said!r}"
        form = {"token": _TOKEN.findall(page)[-1], button[1]: said, **boxes}
        return self.post("/consent/choices", form)

    def stop(self) -> requests.Response:
        """Press the first stop button of the centre."""
        page = self.get("/consent/").text
        token = _TOKEN.search(page)
        assert token, "nothing can be stopped"
        return self.post("/consent/revocations", {"token": token[1]})


@contextlib.contextmanager
def example_app(instance: Path) -> Iterator[Running]:
    """Start ``python -m example_app`` and stop it again."""
    command = [sys.executable, "-m", "example_app", "--json", "--port", _free_port()]
    with subprocess.Popen(  # noqa: S603  our own interpreter, our own arguments
        [*command, "--instance", str(instance)],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            yield Running(**json.loads(process.stdout.readline()), instance=instance)
        finally:
            process.terminate()
            process.wait(30)


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    # Three in a row are looked for from here; keep clear of the very end.
    return str(min(port, 60_000))
