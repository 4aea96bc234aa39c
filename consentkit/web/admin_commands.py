"""``flask consent invalidate|correct|suspend|resume|acts``: what officials do."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Any

import click
from flask.cli import with_appcontext

from consentkit.audit.plain_text import plain_json
from consentkit.core.record import rfc3339
from consentkit.service.administering import Official
from consentkit.service.administering import administrative_acts
from consentkit.service.correcting import Mistake
from consentkit.service.correcting import correct
from consentkit.service.invalidating import Taken
from consentkit.service.invalidating import invalidate
from consentkit.service.invalidating import preview
from consentkit.service.suspending import resume
from consentkit.service.suspending import suspend
from consentkit.web.command_errors import told
from consentkit.web.operating import millis
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from consentkit.log.leaf import Leaf
    from consentkit.service.administering import AdministrativeAct
    from consentkit.service.invalidating import Invalidation

__all__ = ["ADMIN_COMMANDS", "MOMENT", "by_an_official"]

_LEFT = 1


class _Moment(click.ParamType[datetime]):
    """An ISO 8601 time that says its zone."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """See ``click.ParamType.convert``."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail("expected a time such as 2026-01-01T00:00:00Z", param, ctx)
        if moment.tzinfo is None:
            self.fail("expected a time with its zone: add Z or +00:00", param, ctx)
        return moment


MOMENT = _Moment()
"""A time on the command line."""


def by_an_official(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every act: who answers for it, for whom, and why."""
    for option in (
        click.option("--reason", required=True, help="Why; kept sealed."),
        click.option("--affiliation", default="", help="Default: the controller."),
        click.option("--by", required=True, help="Who answers for it; kept sealed."),
    ):
        command = option(command)
    return command


def _of_purpose_and_recipient(command: Callable[..., None]) -> Callable[..., None]:
    recipient = click.option("--recipient", default=None, help="Only this recipient.")
    return click.option("--purpose", default=None, help="Only this purpose.")(
        recipient(command)
    )


@click.command("invalidate")
@click.option("--notice", default=None, help="Digest of the notice that was bad.")
@click.option("--widget", default=None, help="SHA-256 of the notices' template.")
@click.option("--since", type=MOMENT, default=None, help="Taken from then on.")
@click.option("--until", type=MOMENT, default=None, help="Taken before then.")
@_of_purpose_and_recipient
@by_an_official
@click.option("--dry-run", is_flag=True, default=False, help="Count only.")
@click.option("--json", "as_json", is_flag=True, default=False, help="Report as JSON.")
@with_appcontext
def _invalidate(
    *,
    notice: str | None,
    widget: str | None,
    since: datetime | None,
    until: datetime | None,
    purpose: str | None,
    recipient: str | None,
    by: str,
    affiliation: str,
    reason: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Set invalid all consents taken through a notice, a widget or in a time."""
    installation = current_state().installation

    def act() -> Invalidation:
        taken = Taken(notice, widget, millis(since), millis(until), purpose, recipient)
        official = Official(by, reason, affiliation)
        if dry_run:
            return preview(installation, taken)
        return invalidate(installation, taken, by=official)

    done = told(act)
    if as_json:
        click.echo(json.dumps(done.to_dict(), indent=2))
    else:
        _tell_invalidation(done, dry_run=dry_run)
    if done.remaining and not dry_run:
        click.echo(
            f"{done.remaining} persons have agreed the same way meanwhile: take the "
            "question off and run this again",
            err=True,
        )
        raise SystemExit(_LEFT)


def _tell_invalidation(done: Invalidation, *, dry_run: bool) -> None:
    verb = "would be invalidated" if dry_run else "invalidated"
    click.echo(f"{verb}: {done.grants} grants of {done.persons} persons")
    if done.act:
        click.echo(f"act: {done.act}")
    for each in done.shares:
        click.echo(
            f"already shared with {each.recipient}: {each.shares} times, data of "
            f"{each.persons} persons"
        )


@click.command("correct")
@click.argument("subject")
@click.argument("act")
@click.option(
    "--said",
    multiple=True,
    metavar="PURPOSE/RECIPIENT=DATA,…",
    help="What they really said; nothing after = is a no.",
)
@by_an_official
@with_appcontext
def _correct(
    *,
    subject: str,
    act: str,
    said: tuple[str, ...],
    by: str,
    affiliation: str,
    reason: str,
) -> None:
    """Correct an act that was recorded by mistake, by a new one that names it."""
    installation = current_state().installation
    statements = dict(map(_statement, said)) or None
    done = told(
        lambda: correct(
            installation,
            Mistake(subject, act, statements),
            by=Official(by, reason, affiliation),
        )
    )
    if done.leaf is None:
        click.echo("nothing of that act stands any more")
        return
    for purpose, recipient in done.corrected:
        click.echo(f"corrected: {purpose}/{recipient}")
    click.echo(f"act: {done.leaf.id}")


def _statement(text: str) -> tuple[tuple[str, str], frozenset[str]]:
    question, equals, data = text.partition("=")
    purpose, slash, recipient = question.partition("/")
    if not equals or not slash:
        raise click.UsageError(
            f"--said needs PURPOSE/RECIPIENT=DATA,… or PURPOSE/RECIPIENT=; got {text!r}"
        )
    return (purpose, recipient), frozenset(filter(None, data.split(",")))


@click.command("suspend")
@_of_purpose_and_recipient
@click.option("--all", "everything", is_flag=True, default=False, help="All sharing.")
@by_an_official
@with_appcontext
def _suspend(**options: Any) -> None:
    """Stop a purpose, a recipient or both for each other, at once."""
    _switch(suspend, "suspended", "it was suspended already", **options)


@click.command("resume")
@_of_purpose_and_recipient
@click.option("--all", "everything", is_flag=True, default=False, help="All sharing.")
@by_an_official
@with_appcontext
def _resume(**options: Any) -> None:
    """Lift what was suspended in exactly these words."""
    _switch(resume, "resumed", "it was not suspended in these words", **options)


def _switch(
    act: Callable[..., Leaf | None],
    done: str,
    nothing: str,
    *,
    purpose: str | None,
    recipient: str | None,
    everything: bool,
    by: str,
    affiliation: str,
    reason: str,
) -> None:
    if everything == bool(purpose or recipient):
        raise click.UsageError("say --purpose, --recipient or both; or else --all")
    installation = current_state().installation
    leaf = told(
        lambda: act(
            installation, purpose, recipient, by=Official(by, reason, affiliation)
        )
    )
    what = f"{purpose or '*'}/{recipient or '*'}"
    click.echo(f"{done}: {what}" if leaf else f"{what}: {nothing}")


@click.command("acts")
@click.option("--json", "as_json", is_flag=True, default=False, help="One array.")
@with_appcontext
def _acts(*, as_json: bool) -> None:
    """List what officials did: time, action, target, person, affiliation, reason."""
    acts = told(lambda: administrative_acts(current_state().installation))
    if as_json:
        click.echo(json.dumps([_values(each) for each in acts], indent=2))
        return
    for each in acts:
        values = _values(each)
        del values["id"], values["facts"]
        # What officials typed must not steer the terminal of whoever reads it.
        click.echo("\t".join(plain_json(value)[1:-1] for value in values.values()))


def _values(act: AdministrativeAct) -> dict[str, Any]:
    return {
        "id": act.id,
        "time": rfc3339(act.time),
        "action": act.action,
        "target": act.target,
        "person": act.person,
        "affiliation": act.affiliation,
        "reason": act.reason,
        "facts": dict(act.facts),
        **({"fault": act.fault} if act.fault else {}),
    }


ADMIN_COMMANDS = (_invalidate, _correct, _suspend, _resume, _acts)
"""The commands of this module, for the group ``flask consent``."""
