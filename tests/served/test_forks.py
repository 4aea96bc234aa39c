"""An app that is loaded once and forked: nothing of the first process is used after."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

import urllib3

from tests.postgres_server import PostgresServer
from tests.served.people import crowd
from tests.served.proving import check_kept
from tests.served.proving import wallet_in
from tests.served.servers import Served
from tests.served.servers import becomes
from tests.served.servers import serve
from tests.served.servers import wait_for_all
from tests.served.wallet_app import PERSON


def open_files(process: int) -> list[str]:
    """What each open file of a process is."""
    folder = Path(f"/proc/{process}/fd")
    found = []
    for each in folder.iterdir():
        try:
            found.append(str(each.readlink()))
        except FileNotFoundError:
            continue
    return found


def threads_of(process: int) -> int:
    return len(list(Path(f"/proc/{process}/task").iterdir()))


def unix_sockets(process: int) -> set[str]:
    """The Unix sockets of a process, by number; PostgreSQL is spoken to by them."""
    rows = Path("/proc/net/unix").read_text().splitlines()[1:]
    numbers = {f"socket:[{row.split()[6]}]" for row in rows}
    return numbers & set(open_files(process))


def test_the_process_that_only_loads_the_app_opens_nothing_to_hand_down(
    tmp_path: Path,
) -> None:
    with serve("gunicorn gthread, preloaded", tmp_path) as served:
        wait_for_all(served)
        with crowd(served.port, threads=3) as lived:
            assert becomes(lambda: len(lived.promised) > 10)
            master, workers = served.process.pid, served.workers()
            assert threads_of(master) == 1
            assert not [each for each in open_files(master) if "consent" in each]
            inside = {each: open_files(each) for each in workers}
        served.end()
    database = str(tmp_path / "consent.sqlite3")
    assert any(database in files for files in inside.values())
    assert not lived.faults
    check_kept(wallet_in(tmp_path), lived)


def test_no_two_workers_share_a_connection_to_postgresql(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    database = postgres.new_tables()
    server = "gunicorn gthread, preloaded"
    with serve(server, tmp_path, database=database) as served:
        wait_for_all(served)
        with crowd(served.port, threads=4) as lived:
            workers = served.workers()
            assert becomes(lambda: all(unix_sockets(each) for each in workers))
            held = Counter(each for one in workers for each in unix_sockets(one))
            assert not unix_sockets(served.process.pid)
        served.end()
    assert set(held.values()) == {1}
    assert not lived.faults
    check_kept(wallet_in(tmp_path, database), lived)
    postgres.drop_database(database)


def _send(served: Served, below: str, path: str, **body: object) -> tuple[int, bytes]:
    answer = urllib3.request(
        "POST" if body else "GET",
        f"http://127.0.0.1:{served.port}{below}{path}",
        json=body or None,
        headers={PERSON: "alice"},
        retries=False,
        timeout=60,
    )
    return answer.status, answer.data


def _answer(served: Served, below: str = "") -> str:
    """Alice says yes to the app that lies there; the id of her act."""
    api = "/consent/api/v1"
    asked = {"purpose": "credit-score", "again": True}
    shown = json.loads(_send(served, below, f"{api}/presentations", **asked)[1])
    yes = {"purpose": "credit-score", "recipient": "acme-credit", "answer": "given"}
    status, done = _send(
        served, below, f"{api}/choices", token=shown["token"], answers=[yes]
    )
    assert status == 200, done
    return str(json.loads(done)["record_id"])


def _is_published(served: Served, act: str, below: str = "") -> bool:
    path = f"/consent/receipts/{act}.tlog-proof"
    return becomes(lambda: _send(served, below, path)[0] == 200)


def _process(served: Served) -> int:
    """Which one answers, 0 while none does."""
    try:
        status, body = served.get("/inside")
    except urllib3.exceptions.HTTPError:
        return 0
    return int(json.loads(body)["process"]) if status == 200 else 0


def test_several_apps_in_one_process_have_nothing_in_common(tmp_path: Path) -> None:
    app = "tests.served.wallet_app:create_two"
    with serve("gunicorn gthread, preloaded", tmp_path, app=app) as served:
        wait_for_all(served)
        first, second = _answer(served), _answer(served, "/second")
        assert _is_published(served, first)
        assert _is_published(served, second, "/second")
        assert _send(served, "", f"/consent/receipts/{second}.json")[0] == 404


def test_an_app_under_the_reloader_goes_on_after_a_change(tmp_path: Path) -> None:
    changes = tmp_path / "changes.py"
    changes.write_text("")
    command = (
        *(sys.executable, "-m", "flask", "--app", "tests.served.wallet_app"),
        *("run", "--debug", "--port", "{port}", "--extra-files", str(changes)),
    )
    with serve(command, tmp_path) as served:
        assert becomes(lambda: _process(served) != 0), served.output
        process, before = _process(served), _answer(served)
        os.utime(changes, (time.time() + 5,) * 2)
        assert becomes(lambda: _process(served) not in (0, process)), served.output
        after = _answer(served)
        assert _is_published(served, before)
        assert _is_published(served, after)
    wallet_in(tmp_path).prove()
