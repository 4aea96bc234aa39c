"""``flask consent release``: data that somebody hands over by hand, by law."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext

from consentkit.core.act import Channel
from consentkit.core.period import millis_of
from consentkit.service.administering import Official
from consentkit.service.legal_release import LegalRequest
from consentkit.service.legal_release import release_without_consent
from consentkit.service.sharing import Circumstances
from consentkit.web.admin_commands import MOMENT
from consentkit.web.admin_commands import by_an_official
from consentkit.web.command_errors import told
from consentkit.web.state import current_state
from consentkit.web.subject import subject_key

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["RELEASE_COMMANDS"]

_CALLER = "flask-consent-release"


@click.command("release")
@click.argument("subject")
@click.argument("purpose")
@click.argument("recipient")
@click.option("--data", required=True, help="Ids of data categories, with commas.")
@click.option("--basis", required=True, help="legal-obligation or vital-interest.")
@click.option(
    "--evidence",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="The document that asks for it; only its fingerprint is kept.",
)
@click.option("--reference", default="", help="Or what it can be found by.")
@click.option(
    "--barred-until",
    type=MOMENT,
    default=None,
    help="Until then the person must not be told.",
)
@by_an_official
@with_appcontext
def _release(
    *,
    subject: str,
    purpose: str,
    recipient: str,
    data: str,
    basis: str,
    evidence: Path | None,
    reference: str,
    barred_until: datetime | None,
    by: str,
    affiliation: str,
    reason: str,
) -> None:
    """Write down a release without consent; hand the data over after that."""
    if evidence is not None and reference:
        raise click.UsageError("say --evidence or --reference, not both")
    installation = current_state().installation
    done = told(
        lambda: release_without_consent(
            installation,
            LegalRequest(
                subject=subject_key(subject),
                purpose=purpose,
                recipient=recipient,
                data=frozenset(filter(None, data.split(","))),
                basis=basis,
                by=Official(by, reason, affiliation),
                evidence=evidence.read_bytes() if evidence else reference,
                barred_until=None if barred_until is None else millis_of(barred_until),
            ),
            Circumstances(caller=_CALLER, channel=Channel.OPERATOR),
        )
    )
    click.echo(f"released: {purpose}/{recipient}: {', '.join(sorted(done.data))}")
    click.echo(f"act: {done.act}")


RELEASE_COMMANDS = (_release,)
"""The commands of this module, for the group ``flask consent``."""
