"""The gate as a condition of the app's own SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from consentkit.errors import ConfigurationError
from consentkit.service.reaching import tell_reached
from consentkit.store import clause
from consentkit.store.clause import Minors

if TYPE_CHECKING:
    import sqlalchemy as sa

    from consentkit.core.act import Assurance
    from consentkit.core.purpose import Purpose
    from consentkit.core.registry import Question
    from consentkit.service.ages import Ages
    from consentkit.service.installation import Installation

__all__ = ["allowed_clause", "minors_of"]


def allowed_clause(
    installation: Installation,
    subject: sa.SQLColumnExpression[Any],
    question: Question,
    *,
    data: frozenset[str] | None,
    min_assurance: Assurance,
) -> sa.ColumnElement[bool]:
    """Whether the person of a row agreed, when the statement runs.

    Raises:
        ConfigurationError: the app's tables are elsewhere, the column holds no subject
            ids, or only a function of the app knows who is a child.
    """
    tell_reached(installation.registry, question.purpose_id, question.recipient_id)
    database = installation.database
    if not database.shared:
        raise ConfigurationError(
            "allowed_clause needs the consents in the app's own database: call "
            "init_app(app, engine=engine), or give CONSENTKIT_DATABASE_URI the address "
            "of the database that Flask-SQLAlchemy is configured with. Without that, "
            "check_many and share_many take the ids of many people"
        )
    return clause.allowed(
        subject,
        question,
        data=data,
        min_assurance=min_assurance,
        minors=minors_of(installation.ages, question.purpose),
        now=installation.clock,
        dialect=database.engine.dialect.name,
    )


def minors_of(ages: Ages, purpose: Purpose) -> Minors:
    """Whom the law lets nobody do this to, as SQL can tell.

    Raises:
        ConfigurationError: it is in a function of the app.
    """
    if not ages.concern(purpose):
        return Minors.ALLOWED
    if ages.birthdays() is not None:
        raise ConfigurationError(
            f"the law forbids purpose {purpose.id!r} towards children, and only the "
            "app's birthday_loader knows who is one: SQL cannot call it. Use "
            "share_many or check_many"
        )
    return Minors.UNLESS_NOTED if ages.unknown == "minor" else Minors.NOTED
