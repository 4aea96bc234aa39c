"""What a person is told about an answer: on the result page, on a card, in a receipt.

The same calm for yes and no. A state is said in words and dates, never by a switch or
a colour (lint D19), and a share is never called on when the gate would say no.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Literal

from markupsafe import Markup

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.registry import CROSS_BORDER
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.store.deliveries import DeliveryStatus
from consentkit.web.answer_words import NOW
from consentkit.web.answer_words import TOLD
from consentkit.web.locale import mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.core.act import Choice
    from consentkit.core.act import Millis
    from consentkit.core.registry import Registry
    from consentkit.core.status import Status
    from consentkit.service.awaiting import Awaited
    from consentkit.store.deliveries import Delivery
    from consentkit.web.locale import Locale

    Key = tuple[str, str]
    Deed = Literal["share", "use", "send"]
    Group = Literal["agreed", "partial", "declined", "ended"]

__all__ = [
    "CardView",
    "ChoiceLine",
    "Matter",
    "card_view",
    "choice_line",
    "data_titles",
    "declined_text",
    "ended_text",
    "told_text",
    "waiting_line",
]

_ANSWERS = {
    State.GIVEN: "yes",
    State.RENEWED: "yes",
    State.REFUSED: "no",
    State.DEFERRED: "later",
    State.REQUESTED: "open",
    State.WITHDRAWN: "stopped",
    State.EXPIRED: "ended",
    State.REVOKED: "ended",
    State.INVALIDATED: "ended",
}
_STANDS = {
    "share": {
        "agreed": mark("Shared until {until}"),
        "declined": mark("Not shared"),
        "ended": mark("No longer shared"),
    },
    "use": {
        "agreed": mark("Used until {until}"),
        "declined": mark("Not used"),
        "ended": mark("No longer used"),
    },
    "send": {
        "agreed": mark("Sent abroad until {until}"),
        "declined": mark("Not sent abroad"),
        "ended": mark("No longer sent abroad"),
    },
}
_SINCE = {
    State.GIVEN: mark("You said yes on {since}."),
    State.RENEWED: mark("You said yes again on {since}."),
    State.REFUSED: mark("You said no on {since}."),
    State.DEFERRED: mark("On {since} you chose to decide later."),
    State.REQUESTED: mark("We asked you on {since}. You gave no answer."),
    State.WITHDRAWN: mark("You stopped it on {since}."),
    State.EXPIRED: mark("Your yes of {since} ended by itself on {until}."),
    State.REVOKED: mark("It was ended on {since}, and not by you."),
    State.INVALIDATED: mark(
        "On {since} we cancelled your yes. The question you saw was not good enough."
    ),
}
_CHANGED = mark(
    "You said yes on {since}. Something has changed since then, "
    "so we ask you again before we go on."
)
_CORRECTED = mark(
    "We corrected this on {since}. What we had stored before was a mistake."
)
_CLAIMED = mark(
    "On {since} somebody else told us that you agreed to this. "
    "It does not count as your answer."
)
_CLAIMED_NO = mark("On {since} somebody else told us that you said no to this.")
_SIGNALLED = mark(
    "On {since} your browser told us not to share your data, so we stopped."
)
_WAITS = mark("You said yes. It counts once you open the link we sent you on {since}.")
_RAN_OUT = mark(
    "You said yes on {since}. You did not open the link in time, so it does not count."
)
_QUIET = mark(
    "We will not ask you about this before {date}, unless something in it changes."
)
_RECIPIENT_TOLD = {
    DeliveryStatus.WAITING: mark(
        "We are telling {recipient}. They have not confirmed it yet."
    ),
    DeliveryStatus.ACKNOWLEDGED: mark(
        "{recipient} confirmed on {date} that they know."
    ),
    DeliveryStatus.FAILED: mark(
        "We could not reach {recipient} to tell them. Somebody here sees to it."
    ),
}
_GROUPS: dict[State, Group] = {
    State.GIVEN: "agreed",
    State.RENEWED: "agreed",
    State.REFUSED: "declined",
    State.DEFERRED: "declined",
    State.REQUESTED: "declined",
}


@dataclass(frozen=True, slots=True)
class Matter:
    """What an answer is about, in words: declared now, or only known by its ids.

    A record outlives the declaration it was made under, so an unknown id is shown as it
    is and never makes a page fail.
    """

    key: Key
    purpose: str
    recipient: str
    controller: str
    scope: str

    @classmethod
    def of(cls, key: Key, registry: Registry, locale: Locale) -> Matter:
        """The words for a (purpose, recipient) that stands in a record."""
        asked = key[0].removesuffix(CROSS_BORDER)
        purpose = registry.purposes.get(asked) or registry.legal_purposes.get(asked)
        recipient = registry.recipients.get(key[1])
        question = registry.question(*key)
        return cls(
            key=key,
            purpose=locale.localise(purpose.title) if purpose else key[0],
            recipient=recipient.name if recipient else key[1],
            controller=registry.controller.name,
            scope=question.scope if question else "",
        )

    @property
    def deed(self) -> Deed:
        """What would be done with the data."""
        if self.key[0].endswith(CROSS_BORDER):
            return "send"
        return "use" if self.key[1] == OWN_USE_ID else "share"

    @property
    def element(self) -> str:
        """Prefix of element ids."""
        return f"consentkit-{self.key[0]}.{self.key[1]}"


@dataclass(frozen=True, slots=True)
class ChoiceLine:
    """One answer, told back: what was said, on which data, and what happens now.

    ``taken_back`` is what it left out of the yes before it, None if nothing.
    """

    answer: str
    said: Markup
    data: tuple[str, ...]
    now: Markup
    matter: Matter
    taken_back: Markup | None = None


@dataclass(frozen=True, slots=True)
class CardView:
    """The standing answer to one question, with the button that stops it.

    ``stop_token`` is empty where nothing is left to stop; ``told`` says whether the
    recipient knows that it has ended, None where there was nothing to tell (R57);
    ``quiet`` until when nobody asks again by themselves (R29). ``again_token`` is for
    having the link sent again that confirms a yes, ``again_url`` where to (R33).
    ``lacks`` says what a yes still needs before anything is done.
    """

    matter: Matter
    group: Group
    stands: Markup
    since: Markup
    data: tuple[str, ...]
    stop_token: str = ""
    receipt_url: str = ""
    ask_url: str = ""
    told: Markup | None = None
    quiet: Markup | None = None
    again_token: str = ""
    again_url: str = ""
    lacks: Markup | None = None


def data_titles(
    data: Iterable[str], registry: Registry, locale: Locale
) -> tuple[str, ...]:
    """The names of data categories, an unknown one by its id, in a steady order."""
    known = registry.categories
    return tuple(
        locale.localise(known[each].title) if each in known else each
        for each in sorted(data)
    )


def choice_line(
    choice: Choice | None,
    key: Key,
    registry: Registry,
    locale: Locale,
    *,
    awaited: Awaited | None = None,
) -> ChoiceLine:
    """The line for one choice; None is a question that was left unanswered.

    ``awaited`` is the yes behind one that is to be confirmed.
    """
    matter = Matter.of(key, registry, locale)
    answer = _ANSWERS[choice.state] if choice else "open"
    data = choice.data if choice else ()
    if answer == "open" and awaited:
        answer, data = "waits", awaited.data
    words = {
        "purpose": matter.purpose,
        "recipient": matter.recipient,
        "controller": matter.controller,
        "until": locale.date(choice.until) if choice and choice.until else "",
    }
    return ChoiceLine(
        answer=answer,
        said=locale.text(TOLD[matter.deed][answer], **words),
        data=data_titles(data, registry, locale),
        now=locale.text(NOW[matter.deed][answer], **words),
        matter=matter,
    )


def waiting_line(
    line: ChoiceLine,
    data: Iterable[str],
    registry: Registry,
    locale: Locale,
    *,
    now: str,
) -> ChoiceLine:
    """The line of a yes that does not count yet; ``now`` says what it waits for."""
    matter = line.matter
    said = TOLD[matter.deed]["waits"]
    return replace(
        line,
        answer="waits",
        said=locale.text(said, purpose=matter.purpose, recipient=matter.recipient),
        data=data_titles(data, registry, locale),
        now=locale.text(now),
    )


def card_view(
    status: Status,
    key: Key,
    registry: Registry,
    locale: Locale,
    *,
    now: Millis,
    stop_token: str = "",
    receipt_url: str = "",
    ask_url: str = "",
    delivery: Delivery | None = None,
    corrected: bool = False,
    signalled: bool = False,
    quiet_until: Millis | None = None,
    awaited: Awaited | None = None,
    again_token: str = "",
    again_url: str = "",
) -> CardView:
    """The card of one standing answer; a yes that no longer counts reads as ended.

    ``corrected`` says that it stands there because an earlier record was a mistake,
    ``signalled`` that the browser's opt-out signal ended it. ``awaited`` is the yes
    that is to be confirmed; without ``again_url`` the time for that is over.
    """
    matter = Matter.of(key, registry, locale)
    state = status.at(now)
    changed = state in AUTHORISING and status.scope != matter.scope
    # What somebody else says they answered; a correction is told as one.
    claimed = status.assurance is Assurance.ASSERTED and not corrected
    group = _group(state, changed=changed, claimed=claimed)
    since = next(
        words
        for words, applies in (
            (_WAITS if again_url else _RAN_OUT, awaited is not None),
            (_CORRECTED, corrected),
            (_SIGNALLED, signalled),
            (_CLAIMED_NO, claimed and state is State.REFUSED),
            (_CLAIMED, claimed and state in AUTHORISING),
            (_CHANGED, changed),
            (_SINCE[state], True),
        )
        if applies
    )
    dates = {
        "since": locale.date(status.since),
        "until": locale.date(status.until) if status.until else "",
    }
    return CardView(
        matter=matter,
        group=group,
        stands=locale.text(_STANDS[matter.deed][group], **dates),
        since=locale.text(since, **dates),
        data=data_titles(awaited.data if awaited else status.data, registry, locale),
        stop_token=stop_token if state in AUTHORISING and not claimed else "",
        receipt_url=receipt_url,
        ask_url=ask_url,
        told=told_text(delivery, matter, locale) if delivery else None,
        quiet=_quiet(quiet_until, locale, now=now),
        again_token=again_token,
        again_url=again_url,
    )


def _group(state: State, *, changed: bool, claimed: bool) -> Group:
    if claimed and state in AUTHORISING:
        return "declined"
    return "ended" if changed else _GROUPS.get(state, "ended")


def _quiet(until: Millis | None, locale: Locale, *, now: Millis) -> Markup | None:
    if until is None or now >= until:
        return None
    return locale.text(_QUIET, date=locale.date(until))


def ended_text(matter: Matter, locale: Locale) -> Markup:
    """That what an answer allowed is no longer done."""
    return locale.text(_STANDS[matter.deed]["ended"])


def declined_text(matter: Matter, locale: Locale) -> Markup:
    """That what was asked about is not done."""
    return locale.text(_STANDS[matter.deed]["declined"])


def told_text(delivery: Delivery, matter: Matter, locale: Locale) -> Markup:
    """Whether the recipient knows; a delivery that is over was last due at its end."""
    return locale.text(
        _RECIPIENT_TOLD[delivery.status],
        recipient=matter.recipient,
        date=locale.date(delivery.due),
    )
