"""What the page says where who acts is not who can answer."""

from __future__ import annotations

from consentkit.web.locale import mark

__all__ = ["NOT_THEIRS"]

_CANNOT = mark("You cannot answer for this person")

NOT_THEIRS = {
    "age-needed": (
        mark("We do not know how old you are"),
        mark(
            "Below a certain age a parent or guardian has to say yes. "
            "You can say no yourself. Nothing was saved."
        ),
    ),
    "age-unknown": (
        _CANNOT,
        mark("We do not know how old they are. Nothing was saved."),
    ),
    "authority-missing": (
        mark("You cannot answer for this person yet"),
        mark("Nobody has verified that you act for them. Nothing was saved."),
    ),
    "guardian-not-adult": (
        _CANNOT,
        mark(
            "Only a grown-up can answer for a child, and we do not know that you are "
            "one. Nothing was saved."
        ),
    ),
    "not-before-of-age": (
        mark("Nobody can say yes to this yet"),
        mark(
            "It needs the person's own confirmation, and they are not old enough to "
            "give it. Nothing was saved."
        ),
    ),
    "not-delegated": (
        mark("This is not left to you"),
        mark(
            "The person did not ask you to answer this, or took it back. "
            "Nothing was saved."
        ),
    ),
    "of-age": (
        mark("This person answers alone now"),
        mark("They are old enough to decide for themselves. Nothing was saved."),
    ),
    "own-confirmation": (
        mark("Only the person can say yes to this"),
        mark("It needs a message to them that they confirm. Nothing was saved."),
    ),
    "prohibited-for-minors": (
        mark("Nobody can say yes to this for a child"),
        mark("The law forbids it, whoever agrees. Nothing was saved."),
    ),
    "too-young": (
        mark("A parent or guardian has to say yes to this"),
        mark(
            "You are not old enough to say yes to this alone. You can say no yourself. "
            "Nothing was saved."
        ),
    ),
}
"""Title and detail by the code of the problem."""
