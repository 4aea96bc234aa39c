"""The gate as a Flask app calls it: ``check``, ``share`` and ``require``."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import ParamSpec
from typing import TypeVar
from typing import cast

from flask import current_app
from flask import redirect
from flask import request

from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Millis
from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.decision import ShareRequest
from consentkit.core.purpose import Purpose
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import Recipient
from consentkit.errors import ConsentDeniedError
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError
from consentkit.service import checking
from consentkit.service import sharing
from consentkit.service.live import live
from consentkit.service.release import share_terms
from consentkit.web import frame
from consentkit.web.bare import mark_gated
from consentkit.web.block import entered_first
from consentkit.web.errands import errand_to
from consentkit.web.gpc import is_signalled_for
from consentkit.web.problems import denial
from consentkit.web.problems import problem
from consentkit.web.problems import wants_html
from consentkit.web.state import current_state
from consentkit.web.subject import current_subject
from consentkit.web.subject import subject_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterator

    from flask.typing import ResponseReturnValue

    from consentkit.core.legal_purpose import LegalPurpose
    from consentkit.core.registry import Question
    from consentkit.core.registry import Registry
    from consentkit.service.release import Release

__all__ = [
    "assurance_of",
    "bound_of",
    "check",
    "check_declared",
    "id_of",
    "ids_of",
    "request_of",
    "require",
    "share",
]

# Refusals that no answer of the person could lift: asking them would lead nowhere.
_NOT_THEIRS = frozenset(
    {
        Reason.PROHIBITED_FOR_MINORS,
        Reason.PURPOSE_UNKNOWN,
        Reason.RECIPIENT_UNKNOWN,
        Reason.RECIPIENT_INACTIVE,
        Reason.SUSPENDED,
        Reason.STORE_UNAVAILABLE,
    }
)

P = ParamSpec("P")
R = TypeVar("R")


def id_of(value: str | Purpose | LegalPurpose | Recipient | DataCategory) -> str:
    """The id of a declared value, or the id itself.

    Raises:
        DeclarationError: it is neither.
    """
    id_ = value if isinstance(value, str) else getattr(value, "id", None)
    if isinstance(id_, str):
        return id_
    raise DeclarationError(
        "expected a declared purpose, recipient or data category, or its id as text; "
        f"got a value of type {type(value).__name__}"
    )


def ids_of(data: Collection[str | DataCategory]) -> frozenset[str]:
    """The ids of data categories; whatever they come in is gone through once.

    Raises:
        DeclarationError: it is no collection of them.
    """
    if isinstance(data, (str, DataCategory)):
        raise DeclarationError(
            "data must be a collection of data categories, such as "
            f"data={{{id_of(data)!r}}}; got one alone"
        )
    if not isinstance(data, Iterable):
        raise DeclarationError(
            "data must be a collection of data categories, such as data={'spending'}; "
            f"got a value of type {type(data).__name__}"
        )
    return frozenset(map(id_of, data))


def request_of(
    subject: object,
    purpose: str | Purpose,
    recipient: str | Recipient,
    data: Collection[str | DataCategory] | None,
    min_assurance: Assurance | str,
) -> ShareRequest:
    """The question for the gate, by ids, with the signal of the current request.

    Raises:
        InvalidRequestError: the subject has no usable id.
        DeclarationError: another argument is not of its form.
    """
    return ShareRequest(
        subject_key(subject),
        id_of(purpose),
        id_of(recipient),
        None if data is None else ids_of(data),
        assurance_of(min_assurance),
        is_signalled_for(subject),
    )


def assurance_of(value: Assurance | str) -> Assurance:
    """The assurance of that name.

    Raises:
        DeclarationError: there is none.
    """
    if isinstance(value, Assurance):
        return value
    try:
        return Assurance(value)
    except ValueError as error:
        known = ", ".join(each.value for each in Assurance)
        raise DeclarationError(
            f"min_assurance must be one of {known}; got {value!r:.40}"
        ) from error


def check(
    subject: object,
    purpose: str | Purpose,
    *,
    recipient: str | Recipient,
    data: Collection[str | DataCategory] | None,
    min_assurance: Assurance | str,
    max_staleness: timedelta | None = None,
) -> Decision:
    """The decision for one share; nothing is written. Never raises as a way to say yes.

    Somebody without a usable id was never asked.

    Raises:
        DeclarationError: another argument is not of its form.
    """
    bound = None if max_staleness is None else bound_of(max_staleness)
    try:
        wanted = request_of(subject, purpose, recipient, data, min_assurance)
    except InvalidRequestError:
        return Decision(Reason.NOT_ASKED, id_of(purpose), id_of(recipient))
    return checking.check(current_state().installation, wanted, bound=bound)


def bound_of(max_staleness: timedelta) -> Millis:
    """How old an answer may be, in milliseconds.

    Raises:
        DeclarationError: it is no length of time.
    """
    if not isinstance(max_staleness, timedelta) or max_staleness <= timedelta():
        raise DeclarationError(
            "max_staleness must be a timedelta longer than nothing, such as "
            f"timedelta(seconds=10); got {type(max_staleness).__name__}"
        )
    return Millis(max_staleness // timedelta(milliseconds=1))


@entered_first
@contextlib.contextmanager
def share(
    subject: object,
    purpose: str | Purpose,
    *,
    recipient: str | Recipient,
    data: Collection[str | DataCategory] | None,
    min_assurance: Assurance | str,
    circumstances: sharing.Circumstances,
    sends: int = 1,
) -> Iterator[Release]:
    """A release for the length of the ``with`` block, its ledger line already durable.

    Raises:
        ConsentDeniedError: the answer does not cover it; the body does not run.
        DeclarationError: ``data``, ``min_assurance`` or ``sends`` is not of its form.
    """
    release = _authorise(
        subject,
        purpose,
        recipient=recipient,
        data=data,
        min_assurance=min_assurance,
        circumstances=circumstances,
        sends=sends,
    )
    # Outside any ``except``: what goes wrong in the caller's body is the caller's.
    with live(release):
        yield release


def _authorise(
    subject: object,
    purpose: str | Purpose,
    *,
    recipient: str | Recipient,
    data: Collection[str | DataCategory] | None,
    min_assurance: Assurance | str,
    circumstances: sharing.Circumstances,
    sends: int,
) -> Release:
    state = current_state()
    terms = share_terms(sends, state.config.release_lifetime)
    try:
        wanted = request_of(subject, purpose, recipient, data, min_assurance)
    except InvalidRequestError as error:
        decision = Decision(Reason.NOT_ASKED, id_of(purpose), id_of(recipient))
        raise ConsentDeniedError(decision) from error
    return sharing.authorise(state.installation, wanted, circumstances, terms)


def require(
    purpose: str | Purpose,
    *,
    recipient: str | Recipient,
    data: Collection[str | DataCategory] | None,
    min_assurance: Assurance | str,
    sends: int = 1,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that shares before the view runs, or answers in its place.

    The person is the one of the request. A browser is sent to the question; any other
    client gets 403 as a problem document, or 401 if nobody is signed in.

    Raises:
        DeclarationError: ``data``, ``min_assurance`` or ``sends`` is not of its form.
    """
    assurance = assurance_of(min_assurance)
    share_terms(sends)  # refused where it is written, not when somebody comes
    wanted = None if data is None else ids_of(data)

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        is_async = inspect.iscoroutinefunction(view)

        @functools.wraps(view)
        def gated(*args: P.args, **kwargs: P.kwargs) -> R:
            state = current_state()
            # Before anything is on record: without its extra, Flask refuses here. The
            # coroutine has to end within the block, not when Flask awaits it.
            run = current_app.ensure_sync(view) if is_async else view
            subject = current_subject(state)
            if subject is None:
                return cast("R", _nobody(state.config.sign_in_url))
            try:
                release = _authorise(
                    subject,
                    purpose,
                    recipient=recipient,
                    data=wanted,
                    min_assurance=assurance,
                    circumstances=sharing.Circumstances(
                        caller=request.endpoint or view.__name__, channel=Channel.WEB
                    ),
                    sends=sends,
                )
            except ConsentDeniedError as error:
                asked = request_of(subject, purpose, recipient, wanted, assurance)
                return cast("R", _refused(error, asked))
            with live(release):
                return cast("R", run(*args, **kwargs))

        mark_gated(gated, view)
        return gated

    return decorate


def check_declared(
    registry: Registry,
    purpose: str | Purpose,
    recipient: str | Recipient,
    data: Collection[str | DataCategory] | None,
) -> Question:
    """The declared question; refuses a gate that nobody's answer could ever open.

    Raises:
        DeclarationError: no such purpose is declared with that recipient, or it does
            not ask for that data.
    """
    question = registry.question(id_of(purpose), id_of(recipient))
    if question is None or question.transfer:
        known = ", ".join(
            f"{each.purpose_id} for {each.recipient_id}"
            for each in registry.all_questions()
            if not each.transfer
        )
        raise DeclarationError(
            f"expected a declared purpose with its recipient ({known}); "
            f"got {id_of(purpose)!r:.80} for {id_of(recipient)!r:.80}"
        )
    foreign = set() if data is None else ids_of(data) - set(question.data)
    if foreign:
        raise DeclarationError(
            f"purpose {question.purpose_id!r} asks for {', '.join(question.data)} "
            f"only; got {', '.join(sorted(foreign))!r:.80}"
        )
    return question


def _nobody(sign_in_url: str) -> ResponseReturnValue:
    if sign_in_url and wants_html():
        return redirect(frame.host_url(sign_in_url), 303)
    return problem("sign-in")


def _refused(error: ConsentDeniedError, asked: ShareRequest) -> ResponseReturnValue:
    decision = error.decision
    if not wants_html():
        return denial(error)
    if decision.reason in _NOT_THEIRS:
        return frame.problem_page("unavailable")
    return redirect(errand_to(current_state(), asked), 303)
