"""A minute of load on a whole server: grants, the centre, and the gate over HTTP.

Every grant is one: a person of its own with a form of its own, prepared before, and the
log holds as many afterwards. One request that fails stops everything. The ratio is to
an address of the same app that does nothing. Needs wrk.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from consentkit.service.openings import Opening
from consentkit.store.sqlite import journal_mode
from consentkit.web.tokens import Tokens
from tests.bench.measure import write
from tests.postgres_server import PostgresServer
from tests.postgres_server import serve_postgres
from tests.served.proving import wallet_in
from tests.served.servers import Served
from tests.served.servers import serve
from tests.served.servers import wait_for_all
from tests.served.wallet_app import TOKEN
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

__all__ = ["Load", "main"]

THREADS, CLIENTS = 2, 8
SERVERS = "gunicorn gthread", "granian"
HELLO = "an address that does nothing"
PATHS = {
    HELLO: "/hello",
    "gate: POST /api/v1/checks": "/consent/api/v1/checks",
    "centre: GET /consent/": "/consent/",
    "grant: POST /api/v1/choices": "/consent/api/v1/choices",
}
_SCRIPT = Path(__file__).with_name("load.lua")
_KEY = dict(zip(("purpose", "recipient"), CREDIT_SCORE, strict=True))
_MOST = 2_500  # grants a second; more than two cores are good for
_DAY = 86_400
_WARM = 2  # seconds, until each worker has seen each page


@dataclass(frozen=True)
class Load:
    """What wrk found: how many a second, and how long one took."""

    rate: float
    median: float
    p99: float


@dataclass(frozen=True)
class _World:
    """A wallet with people in it, and what to send: one file for each address."""

    wallet: Wallet
    files: dict[str, Path]


@contextmanager
def _world(database: str, *, people: int, grants: int) -> Iterator[_World]:
    with TemporaryDirectory(prefix="consentkit-load-") as name:
        folder = Path(name)
        wallet = wallet_in(folder, database)
        agreeing = [f"person-{number}" for number in range(people)]
        for person in agreeing:
            wallet.answer(person, CREDIT_SCORE)
        wallet.verify()
        checks = (
            {"checks": [{"subject": each, **_KEY, "data": ["spending"]}]}
            for each in agreeing
        )
        lines: list[Iterable[tuple[str, object]]] = [
            [("", "")] * THREADS,
            ((person, body) for person, body in zip(agreeing, checks, strict=True)),
            ((person, "") for person in agreeing),
            _forms(wallet, grants),
        ]
        files = {}
        for number, (each, sent) in enumerate(zip(PATHS, lines, strict=True)):
            files[each] = folder / f"sent-{number}"
            _write(files[each], sent)
        wallet.installation.close()
        yield _World(wallet, files)
        Wallet.close_all()


def _forms(wallet: Wallet, count: int) -> Iterator[tuple[str, object]]:
    """An answer each of people whom nobody has heard of, by forms made for them."""
    notice = wallet.notice("credit-score").digest
    tokens = Tokens(wallet.installation.keyring.form_key, lifetime=_DAY)
    opened = Opening(position=wallet.installation.history.position())
    for number in range(count):
        person = f"new-{number}"
        token = tokens.issue_answer(person, notice, opened)
        yield person, {"token": token, "answers": [{**_KEY, "answer": "given"}]}


def _write(file: Path, lines: Iterable[tuple[str, object]]) -> None:
    with file.open("w") as target:
        for person, body in lines:
            target.write(f"{person}\t{json.dumps(body) if body else ''}\n")


def _run(served: Served, path: str, file: Path, seconds: int) -> tuple[int, Load]:
    """How many requests there were, none of which failed, and what they took."""
    (requests, duration, median, p99, failed), said = _wrk(served, path, file, seconds)
    if failed or not requests:
        raise SystemExit(f"{path}: {failed} failed\n{said}\n{served.output[-2000:]}")
    if said.endswith("again") and "choices" in path:
        raise SystemExit(f"{path}: more than {requests} grants; prepare more forms")
    return requests, Load(requests / (duration / 1e6), median / 1e6, p99 / 1e6)


def _wrk(
    served: Served, path: str, file: Path, seconds: int
) -> tuple[Sequence[int], str]:
    """The figures of the script's last line, and all that was said."""
    command = (
        *("wrk", f"-t{THREADS}", f"-c{CLIENTS}", f"-d{seconds}s", "--timeout", "60s"),
        *("-s", str(_SCRIPT), "-H", f"Authorization: Bearer {TOKEN}"),
        f"http://127.0.0.1:{served.port}{path}",
        *("--", str(file), str(THREADS)),
    )
    done = subprocess.run(  # noqa: S603  our own arguments
        command, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    last = done.rpartition("RESULT ")[2].split()
    return [int(each) for each in last[:5]], done


def _table(server: str, kind: str, database: str, seconds: int) -> str:
    """Load on each address, one after the other, and the log proved afterwards."""
    rows = [
        f"{server}, {kind}\n",
        "| address | requests/s | p50 | p99 | of nothing |",
        "| --- | --- | --- | --- | --- |",
    ]
    with _world(database, people=200, grants=_MOST * seconds) as world:
        with serve(server, world.wallet.folder, database=database) as served:
            wait_for_all(served)
            hello = 0.0
            for name, path in PATHS.items():
                if "choices" not in path:  # a form answers once
                    _wrk(served, path, world.files[name], _WARM)  # nobody counts it
                granted, load = _run(served, path, world.files[name], seconds)
                hello = hello or load.rate
                rows.append(
                    f"| {name} | {load.rate:.0f} | {load.median * 1000:.1f} ms "
                    f"| {load.p99 * 1000:.1f} ms | {load.rate / hello:.3f} |"
                )
            served.end()
        rows.append(f"\n{_proved(world.wallet, granted)}")
    return "\n".join(rows)


def _proved(wallet: Wallet, granted: int) -> str:
    found = wallet_in(wallet.folder, wallet.uri)
    (count,) = found.sql("SELECT COUNT(*) FROM consent_subject")[0]
    size = found.verify().size
    if size != len(found.leaves()) or count < granted:
        raise SystemExit(f"{granted} were answered, {count} people are there")
    return f"no request failed; {granted} grants, all in the log of {size} entries"


def main(argv: Sequence[str] | None = None) -> None:
    """Each server, on SQLite and PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, metavar="N")
    parser.add_argument("--smoke", action="store_true", help="tiny: does it run?")
    asked = parser.parse_args(argv)
    seconds = 1 if asked.smoke else asked.seconds
    write(
        f"wrk, {CLIENTS} clients at once, {seconds} s each",
        f"SQLite in journal mode {journal_mode()}",
    )
    if asked.smoke:
        write(_table(SERVERS[0], "SQLite", "", seconds))
        return
    with serve_postgres({"fsync": "on", "shared_buffers": "256MB"}) as postgres:
        for server in SERVERS:
            write(_table(server, "SQLite", "", seconds))
            write(_table(server, "PostgreSQL", _database(postgres), seconds))


def _database(postgres: PostgresServer) -> str:
    return postgres.new_tables()


if __name__ == "__main__":
    main()
