"""Telling recipients, from a shell and from a thread of a web process."""

from __future__ import annotations

import logging
from datetime import UTC
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from typing import cast

import click
from flask import current_app
from flask.cli import with_appcontext

from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.service.background import start_thread
from consentkit.service.telling import deliver_due
from consentkit.service.telling import mark_told
from consentkit.service.telling import unhandled_tasks
from consentkit.store.deliveries import DeliveryStatus
from consentkit.web import following
from consentkit.web.command_errors import told
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from werkzeug.local import LocalProxy

    from consentkit.store.deliveries import Delivery

__all__ = ["TaskReminder", "deliver", "deliver_in_background"]

_SHOWN = 1_000  # lines that somebody may still read
_ALL = "'flask consent deliver --list --all' shows them"
_LOGGER = logging.getLogger("consentkit")


@click.command("deliver")
@click.option("--follow", is_flag=True, help="Go on, once a second, until interrupted.")
@click.option("--list", "listing", is_flag=True, help="Only show who is not told yet.")
@click.option(
    "--all",
    "in_full",
    is_flag=True,
    help="Show each erasure task, too, where the app has no erasure handler.",
)
@click.option(
    "--done",
    metavar="ID",
    multiple=True,
    help="This one was told in another way; may be given several times.",
)
@with_appcontext
def deliver(
    *, follow: bool, listing: bool, in_full: bool, done: tuple[str, ...]
) -> None:
    """Tell recipients what has ended, and have the app erase what it must."""
    for each in done:
        delivery = told(partial(mark_told, current_state().installation, each))
        click.echo(f"{delivery.id}: {delivery.recipient} is noted as told")
    if done:
        return

    def first() -> str:
        if not listing:
            _deliver_once()
        _list_open(in_full=in_full)
        return ""

    if follow:
        _go_on(first)
    else:
        first()


def _go_on(first: Callable[[], str]) -> None:
    remind = TaskReminder()

    def work() -> str:
        _deliver()
        remind()
        return ""

    following.follow(first, work)


def deliver_in_background() -> None:
    """Tell recipients from now on, in a thread of this process.

    The app's own erasure handler runs there, within an app context.
    """
    app = cast("LocalProxy[Flask]", current_app)._get_current_object()  # noqa: SLF001  documented by Werkzeug

    remind = TaskReminder()

    def work() -> None:
        with app.app_context():
            if _deliver() is not None:  # else another process does both
                remind()

    start_thread("consentkit-deliveries", work, what="telling recipients")


class TaskReminder:
    """Says once in the life of a process that erasure tasks wait for a handler."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self) -> None:
        """Say it, if there is anything to say and it was not said yet."""
        state = current_state()
        if self._said or state.loaders.erasure is not None:
            return
        waiting = unhandled_tasks(state.installation)
        if waiting:
            _LOGGER.warning(
                "consentkit: %s; %s",
                waiting,
                _ALL,
                extra={"event": "erasure-tasks-wait"},
            )
            self._said = True


def _deliver() -> int | None:
    state = current_state()
    return deliver_due(state.installation, state.loaders.erasure)


def _deliver_once() -> None:
    count = told(_deliver)
    if count is None:
        click.echo("another process is telling the recipients", err=True)
    else:
        click.echo(f"acknowledged: {count}")


def _list_open(*, in_full: bool) -> None:
    """A line each; tasks for a handler that is not there are counted, unless asked."""
    state = current_state()
    counted = "" if in_full or state.loaders.erasure is not None else OWN_USE_ID
    found = state.installation.deliveries
    for each in told(lambda: found.open(limit=_SHOWN, unless_waiting=counted)):
        click.echo(_line(each))
    waiting = told(lambda: unhandled_tasks(state.installation)) if counted else ""
    if waiting:
        click.echo(f"{waiting}; {_ALL}")


def _line(delivery: Delivery) -> str:
    state = current_state()
    reachable = delivery.recipient in state.installation.endpoints
    if delivery.recipient == OWN_USE_ID:
        reachable = state.loaders.erasure is not None
        missing = "no erasure handler"
    else:
        missing = "no address in CONSENTKIT_NOTIFY"
    since = datetime.fromtimestamp(delivery.created // 1000, UTC)
    what = delivery.fault
    if delivery.status is DeliveryStatus.FAILED:
        what = f"given up: {what}"
    elif not reachable:
        what = missing
    return (
        f"{delivery.id} {delivery.recipient} {delivery.event} since "
        f"{since:%Y-%m-%dT%H:%M:%SZ}, {delivery.attempts} attempts"
        + (f"; {what}" if what else "")
    )
