"""What an app does with the people it has: one at a time, and all of them at once."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from flask.testing import FlaskClient

from consentkit.core.act import Channel
from consentkit.core.act import State
from consentkit.service.choosing import Answer
from consentkit.service.choosing import Submission
from consentkit.service.choosing import choose
from consentkit.service.exporting import export
from consentkit.service.health import examine
from consentkit.service.publishing import publish_all
from tests.bench.act import logged_notice
from tests.bench.populating import agreed
from tests.bench.share_many import by_clause
from tests.bench.share_many import hand_out
from tests.bench.world import World
from tests.bench.world import signed_leaves
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.declared import SPENDING

__all__ = ["Contender"]


class Contender:
    """An app of so many people, whose ids are numbers; drawn anew at each call."""

    def __init__(self, made: World, people: int) -> None:
        self.made = made
        self.people = people
        self.name = f"{people:,} people"
        self._draw = random.Random(7)  # noqa: S311  the same people in each run
        self._installation = made.installation

    def checks(self, calls: int) -> list[float]:
        """Seconds for each of so many checks, of as many people."""
        consent, numbers = self.made.consent, self._numbers(calls)
        data = frozenset({SPENDING.id})
        with self.made.app.app_context():
            taken = []
            for number in numbers:
                started = time.perf_counter()
                found = consent.check(str(number), SCORE, recipient=CREDIT, data=data)
                taken.append(time.perf_counter() - started)
                if bool(found) is not agreed(number):
                    raise SystemExit(f"{number}: expected {agreed(number)}")
        return taken

    def centres(self, calls: int) -> list[float]:
        """The same of their pages, without a network."""

        def show(number: int) -> None:
            page = self._client.get("/consent/", headers={"X-Person": str(number)})
            if "consentkit-card" not in page.get_data(as_text=True):
                raise SystemExit(f"the page of {number} shows no answer")

        return self._each(show, calls)

    def grants(self, calls: int) -> list[float]:
        """The same of answers: those who agree do so once more."""
        everything = Answer(State.GIVEN, frozenset(self.made.question.optional))

        def agree(number: int) -> None:
            submission = Submission(
                subject=str(number - number % 10),
                notice=self._notice,
                challenge=secrets.token_hex(32),
                answers={(SCORE.id, CREDIT.id): everything},
                channel=Channel.WEB,
                facts={"locale": "en"},
            )
            choose(self._installation, submission)

        _ = self._notice
        return self._each(agree, calls)

    def looks(self, calls: int) -> list[float]:
        """The same of the look at its own health that a load balancer asks for."""
        return self._each(lambda _: examine(self._installation), calls)

    def wait(self, leaves: int) -> None:
        """Let so many leaves wait for a publication."""
        question = self.made.question
        with self._installation.ledger.write() as transaction:
            for leaf in signed_leaves(self._installation, question, leaves):
                transaction.append(leaf)

    def publish(self) -> None:
        """Publish what waits."""
        publish_all(self._installation)

    def ask_all(self) -> None:
        """Whose data may be shared, by one statement."""
        self._expect(len(by_clause(self.made)))

    def share_all(self) -> None:
        """A batch about everybody, written and handed out."""
        self._expect(len(hand_out(self.made)))

    def export_to(self, folder: Path) -> None:
        """The folder for auditors."""
        export(self._installation, folder)

    def _expect(self, found: int) -> None:
        expected = sum(map(agreed, range(self.people)))
        if found != expected:
            raise SystemExit(f"{self.name}: {found} agree, expected {expected}")

    def _each(self, act: Callable[[int], object], calls: int) -> list[float]:
        taken = []
        for number in self._numbers(calls):
            started = time.perf_counter()
            act(number)
            taken.append(time.perf_counter() - started)
        return taken

    def _numbers(self, calls: int) -> list[int]:
        return [self._draw.randrange(self.people) for _ in range(calls)]

    @cached_property
    def _client(self) -> FlaskClient:
        return self.made.app.test_client()

    @cached_property
    def _notice(self) -> str:
        return logged_notice(self.made).digest
