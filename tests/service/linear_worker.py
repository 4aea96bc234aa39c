"""One process that does what an app does to a few consents, and notes all of it.

Grants go by the door that people use: a form with a signed token that counts once.
Checks, revocations, suspensions and their ends go by the extension's own methods.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from flask import Flask

from consentkit import ConsentKit
from consentkit import ShareRequest
from consentkit.service.openings import opening_for
from consentkit.service.publishing import publish_all
from consentkit.testing import form_token
from consentkit.web.state import KEY
from tests.declared import registry
from tests.service.linear_history import EVERY

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from pathlib import Path

    from flask.testing import FlaskClient

    from consentkit.core.decision import Decision
    from consentkit.core.decision import Standing
    from consentkit.service.installation import StandingReader
    from consentkit.web.state import AppState
    from tests.service.linear_history import Key
    from tests.service.linear_history import Recorder

__all__ = ["Place", "Worker"]

PEOPLE = ("anna", "ben")
DATA = {
    ("credit-score", "acme-credit"): "spending",
    ("shop-offers", "corner-shops"): "city",
    ("shop-offers", "controller"): "city",
}
STOPS = (
    ("credit-score", EVERY),
    ("shop-offers", "corner-shops"),
    (EVERY, "corner-shops"),
)
# Of five hundred. Ends are as frequent as beginnings, and what is stopped soon goes on:
# most of the time there is a yes that can go stale.
OFTEN = {
    "check": 365,
    "check_many": 13,
    "grant": 50,
    "revoke": 50,
    "stop": 8,
    "go_on": 13,
    "publish": 1,
}
_SOON = 0.005  # seconds, at most


@dataclass(frozen=True)
class Place:
    """Where an app has its files and its database; ``uri`` is empty for a file there.

    ``remembers`` makes a fault: checks are answered from memory for so many seconds.
    """

    folder: Path
    uri: str = ""
    remembers: float = 0.0

    def open_app(self) -> tuple[Flask, ConsentKit]:
        """The app of this process; all that are here sign with the same keys."""
        app = Flask("linear", instance_path=str(self.folder))
        app.secret_key = "the same for all of them"  # noqa: S105  of a test
        app.config["CONSENTKIT_PUBLISH"] = "command"
        if self.uri:
            app.config["CONSENTKIT_DATABASE_URI"] = self.uri
        consent = ConsentKit(registry())
        consent.init_app(app)
        if self.remembers:
            state: AppState = app.extensions[KEY]
            reader = _Remembering(state.installation.reader, self.remembers)
            installation = replace(state.installation, reader=reader)
            app.extensions[KEY] = replace(state, installation=installation)
        return app, consent

    def begin(self) -> dict[str, str]:
        """Make keys and log, and show each notice once; their digests by purpose."""
        app, consent = self.open_app()
        consent.subject_loader(lambda: PEOPLE[0])
        state: AppState = app.extensions[KEY]
        notices = {}
        for purpose, _ in DATA:
            page = app.test_client().get(f"/consent/ask/{purpose}").text
            notices[purpose] = state.tokens.notice_of(form_token(page), PEOPLE[0])
        state.installation.close()
        return notices


@dataclass
class _Remembering:
    """The fault: a reader that answers from memory for a while."""

    reader: StandingReader
    seconds: float
    known: dict[tuple[str, ...], tuple[float, Standing]] = field(default_factory=dict)

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> Standing:
        key = subject, purpose, recipient, transfer
        if key not in self.known or time.monotonic() > self.known[key][0]:
            found = self.reader.standing(*key)
            self.known[key] = time.monotonic() + self.seconds, found
        return self.known[key][1]

    def standings(
        self, keys: Sequence[tuple[str, str, str, str]]
    ) -> Sequence[Standing | None]:
        return self.reader.standings(keys)

    def close(self) -> None:
        self.reader.close()


@dataclass
class Worker:
    """One process: its app, its notes and its dice.

    ``notices`` is, by purpose, the notice that is answered.
    """

    app: Flask
    consent: ConsentKit
    recorder: Recorder
    dice: random.Random
    notices: Mapping[str, str]
    _who: str = PEOPLE[0]

    def __post_init__(self) -> None:
        self.consent.subject_loader(lambda: self._who)

    def work(self, operations: int, *, dies: bool = False) -> None:
        """Do so many, drawn at random; whoever ``dies`` does not get much past half."""
        do: Mapping[str, Callable[[], object]] = {
            "check": self._check,
            "check_many": self._check_many,
            "grant": self._grant,
            "revoke": self._revoke,
            "stop": self._stop,
            "go_on": self._go_on,
            "publish": lambda: publish_all(self._state.installation),
        }
        drawn = self.dice.choices(list(OFTEN), list(OFTEN.values()), k=operations)
        with self.app.app_context():
            for number, name in enumerate(drawn):
                if dies and number == operations // 2:
                    _die(self.dice.uniform(0, _SOON))
                do[name]()

    @cached_property
    def _client(self) -> FlaskClient:
        return self.app.test_client()

    @property
    def _state(self) -> AppState:
        found: AppState = self.app.extensions[KEY]
        return found

    def _draw(self) -> Key:
        return self.dice.choice(PEOPLE), *self.dice.choice(list(DATA))

    def _check(self) -> None:
        subject, purpose, recipient = key = self._draw()
        data = {DATA[purpose, recipient]}
        number = self.recorder.begin("check", key)
        found = self.consent.check(subject, purpose, recipient=recipient, data=data)
        self.recorder.end(number, _said(found))

    def _check_many(self) -> None:
        keys = [(subject, *pair) for subject in PEOPLE for pair in DATA]
        asked = [ShareRequest(*key, frozenset({DATA[key[1:]]})) for key in keys]
        numbers = [self.recorder.begin("check", key) for key in keys]
        for number, found in zip(numbers, self.consent.check_many(asked), strict=True):
            self.recorder.end(number, _said(found))

    def _grant(self) -> None:
        self._who, purpose, recipient = key = self._draw()
        opening = opening_for(self._state.installation, self._who)
        notice = self.notices[purpose]
        token = self._state.tokens.issue_answer(self._who, notice, opening)
        form = {"token": token, f"choice.{purpose}.{recipient}": "given"}
        number = self.recorder.begin("grant", key)
        answer = self._client.post("/consent/choices", data=form)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        self.recorder.end(number, answer.location.rpartition("/")[2])

    def _revoke(self) -> None:
        """One recipient's, a purpose's, or all of it."""
        subject, purpose, recipient = self._draw()
        match self.dice.randrange(8):
            case 0:
                key: Key = subject, EVERY, EVERY
            case 1:
                key = subject, purpose, EVERY
            case _:
                key = subject, purpose, recipient
        number = self.recorder.begin("revoke", key)
        done = self.consent.revoke(subject, _id(key[1]), recipient=_id(key[2]))
        self.recorder.end(number, " ".join(map("/".join, done.ended)))

    def _stop(self) -> None:
        purpose, recipient = self.dice.choice(STOPS)
        number = self.recorder.begin("suspend", (EVERY, purpose, recipient))
        leaf = self.consent.suspend(
            _id(purpose), recipient=_id(recipient), by="dpo", reason="a test"
        )
        self.recorder.end(number, "changed" if leaf else "nothing")

    def _go_on(self) -> None:
        purpose, recipient = self.dice.choice(STOPS)
        number = self.recorder.begin("resume", (EVERY, purpose, recipient))
        leaf = self.consent.resume(
            _id(purpose), recipient=_id(recipient), by="dpo", reason="a test"
        )
        self.recorder.end(number, "changed" if leaf else "nothing")


def _said(decision: Decision) -> str:
    return decision.record if decision else decision.reason.value


def _id(part: str) -> str | None:
    return None if part == EVERY else part


def _die(seconds: float) -> None:
    """Be killed in the middle of something, without a word to anybody."""
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()
