"""Starts the wallet, the credit scorer and the shops; stops them all."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NoReturn

import urllib3

from example_app.instance import Addresses
from example_app.instance import SignIns
from example_app.instance import earlier_logs
from example_app.instance import give_keys
from example_app.instance import prepare
from example_app.options import INSTANCE_VARIABLE
from example_app.ports import address_of
from example_app.ports import open_socket

if TYPE_CHECKING:
    import socket
    from types import FrameType

    from example_app.options import Options

__all__ = ["run"]

# Name and worker processes. Two for the wallet, so that what one of them is told to
# stop, the other one has to stop too.
_APPS = {"wallet": 2, "affiliate": 1, "partner": 1}

_FLASK = (sys.executable, "-m", "flask", "--app", "example_app.wallet")

_PATIENCE = 60.0  # seconds to start in; a slow machine may compile templates
_GRACE = 10.0  # seconds to stop in before a process is killed
_TAIL = 2_000  # characters of a log that say why a process ended


class _StoppedError(Exception):
    """Somebody asked us to stop."""


class _StartError(Exception):
    """A process ended, or did not answer, before all was up."""


@dataclass(frozen=True)
class _Running:
    name: str
    process: subprocess.Popen[bytes]
    log: Path


@dataclass(frozen=True)
class _Log:
    """Where the wallet's log is, and the keys to check it with, the log's own first."""

    folder: str
    vkeys: tuple[str, ...]


def run(options: Options) -> int:
    """Run until Ctrl-C or SIGTERM; the exit status, 0 if nothing went wrong."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    running: list[_Running] = []
    try:
        with ExitStack() as stack:
            listeners = _listen(options.port, stack)
            addresses = Addresses(**{k: address_of(v) for k, v in listeners.items()})
            signs = prepare(options.instance, addresses)
            log = _make_log(options.instance)
            give_keys(options.instance, log.vkeys)
            _start(options.instance, listeners, running)
        _wait_until_up(running, addresses)
        words = _words(addresses, signs, options.instance, log)
        said = _as_json(addresses, signs) if options.as_json else words
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()
        _watch(running)
    except _StoppedError:
        sys.stderr.write("stopped\n")
        return 0
    except _StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        _end(running)


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not break off the tidying up.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise _StoppedError


def _listen(port: int, stack: ExitStack) -> dict[str, socket.socket]:
    listeners = {}
    for name in _APPS:
        listener = stack.enter_context(open_socket(port))
        listeners[name] = listener
        port = listener.getsockname()[1] + 1
    return listeners


def _start(
    instance: Path, listeners: dict[str, socket.socket], running: list[_Running]
) -> None:
    for name, listener in listeners.items():
        running.append(_spawn(instance, name, listener.fileno()))


def _gunicorn(name: str, handle: int) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", f"example_app.{name}:create_app()"),
        *("--bind", f"fd://{handle}", "--workers", str(_APPS[name])),
        *("--graceful-timeout", "5", "--no-control-socket"),
        *("--error-logfile", "-", "--log-level", "warning"),
    ]


def _make_log(instance: Path) -> _Log:
    """Have the wallet make its consent tables, keys and log, once, before it serves.

    Raises:
        _StartError: it could not; the message has what it printed.
    """
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "flask",
            "--app",
            "example_app.wallet",
            "consent",
            "init",
        ],
        env=_environment(instance),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise _StartError(f"'flask consent init' failed:\n{said[-_TAIL:]}")
    told = [line.split(": ", 1) for line in done.stdout.decode().splitlines()]
    return _Log(
        folder=dict(told)["log files"],
        vkeys=tuple(value for name, value in told if name == "key"),
    )


def _spawn(instance: Path, name: str, handle: int) -> _Running:
    logs = instance / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
            _gunicorn(name, handle),
            env=_environment(instance),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            pass_fds=(handle,),
            # Its own group: Ctrl-C reaches the runner, and the runner stops the rest.
            start_new_session=True,
        )
    return _Running(name, process, log)


def _environment(instance: Path) -> dict[str, str]:
    return {**os.environ, INSTANCE_VARIABLE: str(instance), "PYTHONUNBUFFERED": "1"}


def _wait_until_up(running: list[_Running], addresses: Addresses) -> None:
    """Return when every process answers.

    Raises:
        _StartError: one of them ended, or did not answer in time.
    """
    http = urllib3.PoolManager(retries=False, timeout=2.0)
    until = time.monotonic() + _PATIENCE
    waiting = list(asdict(addresses).values())
    while waiting:
        _check_alive(running)
        if time.monotonic() > until:
            raise _StartError(f"no answer from {waiting[0]} in {_PATIENCE:.0f} seconds")
        try:
            up = http.request("GET", f"{waiting[0]}/up").status == HTTPStatus.OK
        except urllib3.exceptions.HTTPError:
            up = False
        if up:
            waiting.pop(0)
        else:
            time.sleep(0.1)


def _watch(running: list[_Running]) -> NoReturn:
    while True:
        _check_alive(running)
        time.sleep(0.5)


def _check_alive(running: list[_Running]) -> None:
    for each in running:
        if each.process.poll() is not None:
            said = each.log.read_text(encoding="utf-8", errors="replace")[-_TAIL:]
            raise _StartError(
                f"the {each.name} ended with status {each.process.returncode}; "
                f"the end of {each.log}:\n{said}"
            )


def _end(running: list[_Running]) -> None:
    for each in running:
        if each.process.poll() is None:
            each.process.terminate()
    until = time.monotonic() + _GRACE
    for each in running:
        try:
            each.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            each.process.kill()
            each.process.wait()


def _as_json(addresses: Addresses, signs: SignIns) -> str:
    return json.dumps(
        {
            **asdict(addresses),
            "people": dict(signs.people),
            "auditor": signs.auditor,
        }
    )


def _words(addresses: Addresses, signs: SignIns, instance: Path, log: _Log) -> str:
    width = max(map(len, signs.people))
    people = "\n".join(
        f"    {email:{width}}  {password}" for email, password in signs.people.items()
    )
    nightly = shlex.join(
        ["env", f"{INSTANCE_VARIABLE}={instance}", *_FLASK, "send-offers"]
    )
    program = str(Path(sys.executable).with_name("consentkit"))
    earlier = earlier_logs(Path(log.folder))
    before = [part for each in earlier for part in ("--previous", str(each))]
    verify = shlex.join([program, "verify", log.folder, "--key", log.vkeys[0], *before])
    return f"""
  Wallet                {addresses.wallet}
  Its consent centre    {addresses.wallet}/consent/
  The credit scorer     {addresses.affiliate}   what Acme received
  The shop network      {addresses.partner}   what Corner Shops received

  Sign in to the wallet as one of
{people}

  The auditor's log     {addresses.wallet}/auditor
    auditor  {signs.auditor}

  Check the log as an auditor does, with none of the servers:
    {verify}

  Fetch offers for everybody who agreed, as a nightly job would:
    {nightly}

  Stop with Ctrl-C."""
