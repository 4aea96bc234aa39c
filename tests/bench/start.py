"""What the app pays before the first answer: imports, size, start, and the pages.

Imports are timed in fresh interpreters, the bare interpreter's own start taken off.
All of them find bytecode, as after an installation by pip, whoever installed what is
here: a module that Python has to compile takes three times as long to import.
Pages are timed within one request and without a network.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from flask.testing import FlaskClient

import consentkit
from consentkit.core.registry import Registry
from consentkit.store.sqlite import journal_mode
from consentkit.web.state import KEY
from consentkit.web.widgets import consent_widget
from tests.bench.measure import Line
from tests.bench.measure import Samples
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import race
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.world import LONG
from tests.bench.world import World
from tests.bench.world import open_raw
from tests.bench.world import world
from tests.declared import CREDIT
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import SHOP
from tests.declared import registry

# What ``setup.cfg`` asks for, by the modules that an app of ours cannot do without.
_DEPENDENCIES = (
    "flask, marshmallow, webargs.flaskparser, sqlalchemy, alembic.command, "
    "sqlalchemy.dialects.sqlite, urllib3, "
    "babel.dates, babel.messages.pofile, babel.messages.mofile, "
    "cryptography.hazmat.primitives.serialization, "
    "cryptography.hazmat.primitives.asymmetric.ed25519, "
    "cryptography.hazmat.primitives.ciphers.aead"
)
DEPENDENCIES = "import of the dependencies"
WHOLE = "import of ConsentKit"
AUDIT = "import consentkit.audit"
WIDGET = "consent_widget, in a host's page"
CENTRE = "the centre: 50 choices, 500 disclosures"
_IMPORTS = {
    DEPENDENCIES: f"import {_DEPENDENCIES}",
    WHOLE: "from consentkit import ConsentKit",
    AUDIT: "import consentkit.audit",
}
_CHOICES, _DISCLOSURES = 50, 500
_PACKAGE = Path(consentkit.__file__).parent


def _seconds(program: str, bytecode: str) -> float:
    found = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, env=found)  # noqa: S603  our own programs
    return time.perf_counter() - started


def _imports(rounds: int) -> Samples:
    """Each import in an interpreter of its own, less what that takes by itself."""
    found: dict[str, list[float]] = {name: [] for name in _IMPORTS}
    with tempfile.TemporaryDirectory(prefix="consentkit-bench-") as bytecode:
        for number in range(-1, rounds):
            bare = _seconds("pass", bytecode)
            for name, program in _IMPORTS.items():
                seconds = _seconds(program, bytecode) - bare
                if number >= 0:
                    found[name].append(seconds)
    return found


def _size() -> str:
    """The package, deflated as a wheel is: what an installation fetches."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(_PACKAGE.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(_PACKAGE.parent))
    return f"the package, deflated: {len(packed.getvalue()) / 1000:.0f} kB"


def _many() -> Registry:
    """A registry with questions enough for fifty choices."""
    asked = ((SCORE, CREDIT), (replace(OFFERS, own_use=False), SHOP))
    return registry(
        purposes=[
            replace(purpose, id=f"{purpose.id}-{number}", recipients=[party])
            for number in range(_CHOICES // len(asked))
            for purpose, party in asked
        ]
    )


@contextmanager
def _busy() -> Iterator[FlaskClient]:
    """A client of somebody who agreed to everything and about whom much was shared."""
    with world(_many()) as made:
        questions = made.installation.registry.all_questions()
        now = made.installation.clock()
        made.add_states(
            (
                *("anna", *question.key, "given", " ".join(question.data), now + LONG),
                *(question.scope, "session", f"{number:032x}", now, "a" * 64),
            )
            for number, question in enumerate(questions)
        )
        with open_raw(made.path) as connection:
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO consent_disclosure "
                "VALUES (?, 'anna', ?, ?, ?, ?, ?, ?, 1)",
                (
                    (
                        *(f"{number:032x}", now + number),
                        *questions[number % len(questions)].key,
                        *("city", "granted", f"{number % len(questions):032x}"),
                    )
                    for number in range(_DISCLOSURES)
                ),
            )
            connection.execute("COMMIT")
        yield made.app.test_client()


def _notice_of(page: str) -> str:
    """The part of a widget that is hashed and kept; the token beside it is new."""
    return page[page.index('<div class="consentkit-notice"') : page.index("</form>")]


def _agreement(made: World, client: FlaskClient) -> str:
    """A line that says what was rendered; stops if it is not what it should be."""
    remembered = str(consent_widget(SCORE))
    made.app.extensions[KEY].notices.clear()
    if _notice_of(str(consent_widget(SCORE))) != _notice_of(remembered):
        raise SystemExit("a remembered notice is not the one that is rendered anew")
    cards = client.get("/consent/").get_data(as_text=True).count('consentkit-card"')
    if cards != _CHOICES:
        raise SystemExit(f"the centre shows {cards} choices, expected {_CHOICES}")
    return f"same notice, remembered and rendered anew; {cards} choices in the centre"


def _pages(rounds: int) -> tuple[str, Samples]:
    with world() as made, _busy() as client, made.app.test_request_context():
        agreed = _agreement(made, client)
        contenders: Mapping[str, Callable[[], object]] = {
            WIDGET: lambda: consent_widget(SCORE),
            CENTRE: lambda: client.get("/consent/"),
        }
        return agreed, race(contenders, rounds=rounds)


def main(argv: Sequence[str] | None = None) -> None:
    """Look at the pages, then time them."""
    asked = arguments(argv, __doc__, rounds=50)
    agreed, pages = _pages(asked.rounds)
    imports = _imports(2 if asked.smoke else 9)
    write(agreed, _size(), circumstances(journal_mode(), asked.rounds))
    lines = [
        Line(DEPENDENCIES),
        Line(WHOLE, DEPENDENCIES, 1.25),
        Line(AUDIT, reach=0.1),
        Line(WIDGET, reach=0.001),
        Line(CENTRE, reach=0.03),
    ]
    write(report({**imports, **pages}, lines))


if __name__ == "__main__":
    main()
