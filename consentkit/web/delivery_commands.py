"""Telling recipients, from a shell and from a thread of a web process."""

from __future__ import annotations

import time
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING
from typing import cast

import click
from flask import current_app
from flask.cli import with_appcontext

from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.service.background import start_thread
from consentkit.service.telling import deliver_due
from consentkit.service.telling import mark_told
from consentkit.store.deliveries import DeliveryStatus
from consentkit.web.command_errors import told
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.local import LocalProxy

    from consentkit.store.deliveries import Delivery

__all__ = ["deliver", "deliver_in_background"]

_SECOND = 1.0
_SHOWN = 1_000  # lines that somebody may still read


@click.command("deliver")
@click.option("--follow", is_flag=True, help="Go on, once a second, until interrupted.")
@click.option("--list", "listing", is_flag=True, help="Only show who is not told yet.")
@click.option("--done", metavar="ID", help="This one was told in another way.")
@with_appcontext
def deliver(*, follow: bool, listing: bool, done: str | None) -> None:
    """Tell recipients what has ended, and have the app erase what it must."""
    if done is not None:
        delivery = told(lambda: mark_told(current_state().installation, done))
        click.echo(f"{delivery.id}: {delivery.recipient} is noted as told")
        return
    if not listing:
        _deliver_once()
    _list_open()
    while follow:
        time.sleep(_SECOND)
        told(_deliver)


def deliver_in_background() -> None:
    """Tell recipients from now on, in a thread of this process.

    The app's own erasure handler runs there, within an app context.
    """
    app = cast("LocalProxy[Flask]", current_app)._get_current_object()  # noqa: SLF001  documented by Werkzeug

    def work() -> None:
        with app.app_context():
            _deliver()

    start_thread("consentkit-deliveries", work, what="telling recipients")


def _deliver() -> int | None:
    state = current_state()
    return deliver_due(state.installation, state.loaders.erasure)


def _deliver_once() -> None:
    count = told(_deliver)
    if count is None:
        click.echo("another process is telling the recipients", err=True)
    else:
        click.echo(f"acknowledged: {count}")


def _list_open() -> None:
    for each in told(
        lambda: current_state().installation.deliveries.open(limit=_SHOWN)
    ):
        click.echo(_line(each))


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
