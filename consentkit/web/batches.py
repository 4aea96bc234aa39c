"""A batch as a Flask app shares it: ids in whatever form, and back in the same form."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from uuid import UUID

from consentkit.core.act import Assurance
from consentkit.errors import ConfigurationError
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError
from consentkit.service.batching import People
from consentkit.service.batching import share_with_many
from consentkit.service.judging import Wanted
from consentkit.service.live import live
from consentkit.service.roll import Roll
from consentkit.service.sharing import Circumstances
from consentkit.store.batch_writing import id_type
from consentkit.store.batch_writing import is_expression
from consentkit.store.batch_writing import is_statement
from consentkit.web import gate
from consentkit.web.block import entered_first
from consentkit.web.gpc import is_signalled
from consentkit.web.gpc import is_signalled_for
from consentkit.web.state import current_state
from consentkit.web.subject import SubjectId
from consentkit.web.subject import subject_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterator

    import sqlalchemy as sa

    from consentkit.core.purpose import Purpose
    from consentkit.core.vocabulary import DataCategory
    from consentkit.core.vocabulary import Recipient
    from consentkit.service.batch import Batch

__all__ = ["share_many"]

_ANYBODY = "anybody"


@entered_first
@contextlib.contextmanager
def share_many(
    subjects: sa.SelectBase | Iterable[SubjectId | None],
    purpose: str | Purpose,
    *,
    recipient: str | Recipient,
    data: Collection[str | DataCategory] | None,
    min_assurance: Assurance | str,
    amount: int | None,
    caller: str,
) -> Iterator[Batch]:
    """A batch for the length of the ``with`` block, its ledger line already durable.

    Raises:
        ConsentDeniedError: nothing may leave; the body does not run.
        ConfigurationError: the statement cannot be asked, or selects no ids.
        DeclarationError: an argument is not of its form, or something is no id.
    """
    state = current_state()
    asked = gate.request_of(_ANYBODY, purpose, recipient, data, min_assurance)
    wanted = Wanted(
        asked.purpose,
        asked.recipient,
        asked.data,
        asked.min_assurance,
        is_signalled_for if is_signalled() else None,
    )
    with _people(subjects) as people:
        batch = share_with_many(
            state.installation,
            people,
            wanted,
            Circumstances(caller=caller, amount=0 if amount is None else amount),
            counted=amount is None,
            lifetime=state.config.release_lifetime,
        )
    # Outside any ``except``: what goes wrong in the caller's body is the caller's.
    with live(batch):
        yield batch


@contextlib.contextmanager
def _people(
    subjects: sa.SelectBase | Iterable[SubjectId | None],
) -> Iterator[People]:
    if is_statement(subjects):
        if not current_state().installation.database.shared:
            raise ConfigurationError(
                "share_many takes a statement only with the consents in the app's own "
                "database: call init_app(app, engine=engine), or give "
                "CONSENTKIT_DATABASE_URI the address of the database that "
                "Flask-SQLAlchemy is configured with. Without that, give it the ids "
                "themselves, such as session.scalars(statement)"
            )
        yield People(subjects, _is_id, _back_to(id_type(subjects)))
        return
    forms = _Forms()
    with Roll(_texts(_listed(subjects), forms)) as roll:
        yield People(roll, _is_id, forms.restored)


def _listed(subjects: Any) -> Iterable[Any]:
    """What goes through ids one by one.

    Raises:
        DeclarationError: it does not.
    """
    if isinstance(subjects, (str, bytes)):
        raise DeclarationError(
            "share_many takes the ids of many people, or a statement that selects "
            "them; for one person there is share"
        )
    if is_expression(subjects) or not isinstance(subjects, Iterable):
        raise DeclarationError(
            "share_many takes a statement that selects ids, such as select(User.id), "
            f"or the ids themselves; got a value of type {type(subjects).__name__}"
        )
    return subjects


def _texts(ids: Iterable[Any], forms: _Forms) -> Iterator[str | None]:
    """The ids as text, None for what is none; ``forms`` comes to know their types.

    Raises:
        DeclarationError: something is of a type that no id is of.
    """
    for row in ids:
        each = row[0] if _is_row(row) else row
        if each is not None and not isinstance(each, SubjectId):
            # Not withheld: of all of them it would be so, and nobody would know why.
            raise DeclarationError(
                "share_many takes ids, that is text, numbers or UUIDs, or rows of one "
                "of these, such as session.scalars(select(User.id)); got a value of "
                f"type {type(each).__name__}"
            )
        try:
            text = subject_key(each)
        except InvalidRequestError:
            yield None
        else:
            forms.note(text, each)
            yield text


def _is_row(value: object) -> bool:
    """Whether it is a row of one column, as a database gives it."""
    is_text = isinstance(value, (str, bytes))
    return isinstance(value, Sequence) and not is_text and len(value) == 1


class _Forms:
    """In which form ids came: that of the first one, and those that came in another."""

    def __init__(self) -> None:
        self._first: Callable[[str], Any] | None = None
        self._others: dict[str, Callable[[str], Any]] = {}

    def note(self, text: str, given: object) -> None:
        form = _back_to(int if isinstance(given, int) else type(given))
        if self._first is None:
            self._first = form
        elif form is not self._first:
            self._others[text] = form

    def restored(self, text: str) -> Any:
        form = self._others.get(text) or self._first or str
        return form(text)


def _back_to(kind: type) -> Callable[[str], Any]:
    return kind if kind in {int, UUID} else str


def _is_id(text: str) -> bool:
    try:
        return subject_key(text) == text
    except InvalidRequestError:
        return False
