"""What is wrong with a page that a template of the app's made, and not with ours.

Four things are looked at: the linter's rules for markup, what the page runs and
fetches, whether its forms work, and whether it tells what is declared.
"""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import islice
from typing import TYPE_CHECKING

from flask import request

from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.web.active_content import active_faults
from consentkit.web.active_content import is_foreign

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.core.registry import Question
    from consentkit.web.locale import Locale
    from consentkit.web.rehearsal import Rehearsed

__all__ = ["first_of", "only_styles", "page_faults", "refusal", "refuse"]

_STYLES = frozenset({"icon", "stylesheet"})
_MOST_TOLD = 12  # faults in one message; the rest shows when these are mended
_DO = (
    "Mend the template, or take it away to use ours; docs/styling.md says what a "
    "template of your own has to keep."
)


def page_faults(
    theirs: Rehearsed,
    ours: Rehearsed,
    questions: tuple[Question, ...],
    locale: Locale,
) -> Iterator[str]:
    """Yield what is wrong with a page and not with ours of the same words.

    Raises:
        ConfigurationError: the linter is not installed.
    """
    # Loaded for an override alone: no other app starts slower for it.
    from consentkit.lint.tree import parse  # noqa: PLC0415
    from consentkit.web.form_contract import page_faults as form_faults  # noqa: PLC0415
    from consentkit.web.form_contract import untold  # noqa: PLC0415

    yield from _lint_faults(theirs.html, ours.html)
    document = parse(theirs.html)
    yield from dict.fromkeys(active_faults(document, request.host))
    if lacking := list(form_faults(theirs, document)):
        ours_too = set(form_faults(ours, parse(ours.html)))
        yield from (each for each in lacking if each not in ours_too)
    yield from untold(document, ours.html, questions, locale)


def refuse(names: Collection[str], scene: str, faults: Iterator[str]) -> None:
    """Stop if there is a fault.

    Raises:
        ConfigurationError: there is one; or none can be found without the linter.
    """
    if told := first_of(names, faults):
        raise refusal(names, scene, told)


def first_of(names: Collection[str], faults: Iterator[str]) -> list[str]:
    """The faults that are told at once; one that the page cannot even be judged is one.

    Raises:
        ConfigurationError: the linter is not installed.
    """
    try:
        return list(islice(faults, _MOST_TOLD))
    except ConfigurationError as error:
        which = ", ".join(names)
        raise ConfigurationError(f"this app overrides {which}: {error}") from error
    except InvalidRequestError as error:  # too long, or nested too deeply
        return [f"it cannot be judged: {error}"]


def refusal(
    names: Collection[str], scene: str, told: Iterable[str]
) -> ConfigurationError:
    """The error that names the templates, the rules and the places."""
    listed = "".join(f"\n  {each}" for each in told)
    return ConfigurationError(
        f"this app's own {', '.join(names)} cannot be shown to anybody ({scene}):"
        f"{listed}\n{_DO}"
    )


def only_styles(html: str) -> bool:
    """Whether it loads style sheets of the app's own and nothing else.

    No rule for markup applies to them, and the linter is not needed to know it.
    """
    tags = _Tags()
    tags.feed(html)
    return tags.others == 0


def _lint_faults(theirs: str, ours: str) -> Iterator[str]:
    from consentkit.lint import lint  # noqa: PLC0415  for an override alone
    from consentkit.lint.table import RULES  # noqa: PLC0415

    errors = lint(theirs).errors
    if not errors:
        return
    slugs = {rule.id: rule.slug for rule in RULES}
    known = {(each.rule, each.why) for each in lint(ours).errors}
    for each in errors:
        if (each.rule, each.why) not in known:
            name = f"{each.rule} {slugs[each.rule]}"
            yield f"{name}: {each.where}: {each.why}. {each.do}"


class _Tags(HTMLParser):
    """Counts what is neither a style sheet of the app's own nor an icon."""

    others = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count another element; a link may not fetch what could run."""
        told = {name: value or "" for name, value in attrs}
        style = tag == "link" and told.get("rel", "").lower() in _STYLES
        handled = any(name.startswith("on") for name in told)
        elsewhere = is_foreign(told.get("href", ""), request.host)
        self.others += not style or handled or elsewhere

    def handle_data(self, data: str) -> None:
        """Count text, which would end the head."""
        self.others += bool(data.strip())
