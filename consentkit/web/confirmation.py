"""The page that a link leads to: what is confirmed, all of it, and two like buttons."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.core.vocabulary import DataItem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markupsafe import Markup

    from consentkit.core.registry import Question
    from consentkit.core.registry import Registry
    from consentkit.service.awaiting import Awaited
    from consentkit.web.questions import NoticeView

__all__ = ["ConfirmationView", "answered_questions"]


@dataclass(frozen=True, slots=True)
class ConfirmationView:
    """What a link confirms. ``asked`` words it as the question does.

    ``ends`` is until when a yes of today would hold, ``goes_on`` that an earlier one
    stands until then, None where none does.
    """

    asked: NoticeView
    token: str
    action: str
    notice_url: str
    csrf_token: str = ""
    account: str = ""
    ends: Markup | None = None
    goes_on: Markup | None = None


def answered_questions(
    awaited: Iterable[Awaited], registry: Registry
) -> tuple[Question, ...]:
    """The questions as they were answered: with the data that was said yes to, only.

    Nothing is optional any more, and nobody is told to wait for another link.
    """
    return tuple(
        _as_answered(question, frozenset(each.data))
        for each in awaited
        if (question := registry.question(*each.key)) is not None
    )


def _as_answered(question: Question, data: frozenset[str]) -> Question:
    items = tuple(
        DataItem(item.category) for item in question.items if item.category.id in data
    )
    purpose = replace(question.purpose, two_stage=False)
    return replace(question, purpose=purpose, items=items)
