"""In which language a person is spoken to, and how that language writes things.

The host decides: ``CONSENTKIT_LOCALE_SELECTOR``, then the host's own Flask-Babel, then
``Accept-Language``, then the default. English is the source language of our messages;
the others are ``translations/<locale>/LC_MESSAGES/consentkit.po``, read at run time.

Messages are whole sentences with named placeholders and two marks: ``*strong*`` and
``[link]``, the link being the value named ``link``. Values are escaped and isolated
(``<bdi>``), so a Latin name cannot disturb an Arabic sentence, nor a hostile one any.
"""

from __future__ import annotations

import gettext
import re
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from datetime import tzinfo
from functools import lru_cache
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import babel
from babel.core import get_global
from babel.dates import format_date
from babel.dates import format_datetime
from babel.dates import get_datetime_format
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from flask import current_app
from flask import request
from markupsafe import Markup
from markupsafe import escape

from consentkit.core.text import FALLBACK_LOCALE
from consentkit.core.text import TextLike
from consentkit.core.text import localise
from consentkit.errors import ConfigurationError
from consentkit.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Sequence

    Selector = str | Callable[[], object] | None

__all__ = [
    "Locale",
    "available_locales",
    "check_spoken",
    "choose_locale",
    "mark",
    "negotiate",
]

_TRANSLATIONS = Path(__file__).parent / "translations"
_STRONG = re.compile(r"\*(.+?)\*")
_LINK = re.compile(r"\[(.+?)\]")
_ISO_DURATION = re.compile(r"P(?:\d+[YMWD])+\Z")
_ISO_PART = re.compile(r"(\d+)([YMWD])")

# CLDR's plain "en" is American and writes the month first; our English readers are
# everywhere, and 1 December must not become 12 January.
_CLDR = {"en": "en_001"}
_NO_SPACES = frozenset({"ja", "zh"})


@dataclass(frozen=True)
class Locale:
    """One language: its messages, its direction, its dates, lists and country names.

    ``code`` is a BCP 47 tag. ``fallback_from`` names the language that was wanted when
    it is not this one, in that language, and is empty otherwise. ``zone`` is the time
    zone of shown dates; times always say which zone they are in.
    """

    code: str
    fallback_from: str = ""
    zone: tzinfo = UTC

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``, for the ``dir`` attribute."""
        return self._cldr.text_direction

    @property
    def name(self) -> str:
        """The language in its own words."""
        return str(babel.Locale.parse(self.code, sep="-").display_name)

    def text(self, message: str, /, **values: object) -> Markup:
        """The message in this language as HTML, every value escaped and isolated."""
        return _render(self._catalogue.gettext(message), values)

    def plain(self, message: str, /, **values: str) -> str:
        """The message as plain text, for attributes and titles; escape it there."""
        return _typeset(self._catalogue.gettext(message)).format(**values)

    def plural(self, one: str, many: str, count: int, /, **values: object) -> Markup:
        """The form of the message that ``count`` needs; ``{count}`` stands in it."""
        message = self._catalogue.ngettext(one, many, count)
        return _render(message, {"count": self.number(count), **values})

    def localise(self, text: TextLike) -> str:
        """A declared text in this language."""
        return localise(text, self.code)

    def date(self, millis: int) -> Markup:
        """The day of an instant, as a ``<time>`` element."""
        at = self._at(millis)
        return _time(at, format_date(at.date(), "long", locale=self._cldr))

    def moment(self, millis: int) -> Markup:
        """Day, time and zone of an instant, as a ``<time>`` element."""
        at = self._at(millis)
        day = format_date(at.date(), "long", locale=self._cldr)
        clock = format_datetime(at, "HH:mm", tzinfo=self.zone, locale=self._cldr)
        order = str(get_datetime_format("medium", locale=self._cldr))
        return _time(at, order.format(f"{clock} {at.tzname()}", day))

    def duration(self, length: str | timedelta) -> str:
        """A length of time in words: an ISO 8601 duration of dates, or a timedelta.

        Raises:
            DeclarationError: the text is not an ISO 8601 duration of dates.
        """
        counts = _spans(length) if isinstance(length, str) else _rounded(length)
        units = (
            ("{count} year", "{count} years"),
            ("{count} month", "{count} months"),
            ("{count} week", "{count} weeks"),
            ("{count} day", "{count} days"),
            ("{count} hour", "{count} hours"),
            ("{count} minute", "{count} minutes"),
        )
        return self.listing(
            str(self.plural(*unit, count))
            for unit, count in zip(units, counts, strict=True)
            if count
        )

    def country(self, code: str) -> str:
        """The name of an ISO 3166-1 country, or the code where CLDR has no name."""
        return str(self._cldr.territories.get(code, code))

    def listing(self, items: Iterable[str]) -> str:
        """The items as this language lists them in a sentence."""
        return format_list(list(items), locale=self._cldr)

    def names(self, items: Iterable[str]) -> Markup:
        """Names as this language lists them, each isolated from its neighbours.

        Else two Latin names in an Arabic list would be read in the wrong order.
        """
        isolated = [str(Markup("<bdi>{}</bdi>").format(item)) for item in items]
        return Markup(self.listing(isolated))  # noqa: S704  escaped one line above

    def quoted(self, items: Iterable[str]) -> str:
        """The items as names in quotation marks, listed."""
        return self.listing(self.plain("“{title}”", title=item) for item in items)

    def sentences(self, *texts: str) -> Markup:
        """Whole sentences one after the other, as this language sets them apart."""
        gap = Markup() if self._cldr.language in _NO_SPACES else Markup(" ")
        return gap.join(text for text in texts if text)

    def number(self, value: int) -> str:
        """A whole number with this language's digits and grouping."""
        return str(format_decimal(value, locale=self._cldr))

    @property
    def _cldr(self) -> babel.Locale:
        return babel.Locale.parse(_CLDR.get(self.code, self.code.replace("-", "_")))

    @property
    def _catalogue(self) -> gettext.NullTranslations:
        return _load_catalogue(self.code)

    def _at(self, millis: int) -> datetime:
        return datetime.fromtimestamp(millis / 1000, UTC).astimezone(self.zone)


def mark(message: str) -> str:
    """The message itself, marked here for the catalogue and looked up later."""
    return message


@lru_cache(maxsize=1)
def available_locales() -> tuple[str, ...]:
    """The BCP 47 tags of the languages that our own messages exist in."""
    found = {path.parents[1].name for path in _TRANSLATIONS.glob("*/LC_MESSAGES/*.po")}
    return (FALLBACK_LOCALE, *sorted(name.replace("_", "-") for name in found))


def check_spoken(locales: Iterable[str]) -> None:
    """Refuse languages that our own messages do not exist in (R114).

    ``de-AT`` is met by ``de``: a country changes dates and lists, not our words.

    Raises:
        ConfigurationError: a page in one of them would be half in English.
    """
    silent = [locale for locale in locales if not _catalogue_of(locale)]
    if silent:
        raise ConfigurationError(
            "the registry's locales must be languages that consentkit's own messages "
            f"exist in, {', '.join(available_locales())}; got {', '.join(silent)}: "
            "take it out, or add its catalogue (docs/languages.md)"
        )


def choose_locale(
    *, offered: Sequence[str], default: str, selector: Selector = None
) -> Locale:
    """The locale of the current request: what the host wants, else the browser.

    The first source that wants something decides. If that language is not among the
    ``offered`` ones the default is taken and ``fallback_from`` says so: a page in a
    third language, which neither the host nor the person chose, would help nobody.
    """
    for wanted in _wishes(selector):
        found = negotiate(wanted, offered)
        return Locale(found) if found else Locale(default, _name_of(wanted[0]))
    return Locale(default)


def negotiate(wanted: Iterable[str], offered: Sequence[str]) -> str | None:
    """The first offered tag that meets a wanted one: same tag, script or language.

    ``zh-CN`` finds ``zh-Hans`` (CLDR likely subtags). None if nothing does.
    """
    tags = {tag.lower(): tag for tag in offered}
    for wish in wanted:
        exact = tags.get(wish.replace("_", "-").lower())
        if exact:
            return exact
        for depth in (2, 1):
            for tag in offered:
                if _parts(tag)[:depth] == _parts(wish)[:depth]:
                    return tag
    return None


def _wishes(selector: Selector) -> Iterable[list[str]]:
    chosen = selector() if callable(selector) else selector
    if chosen:
        yield [str(chosen)]
    if "babel" in current_app.extensions:
        host = import_module("flask_babel").get_locale()
        if host:
            yield [str(host)]
    accepted = [tag for tag, quality in request.accept_languages if quality > 0]
    if accepted and accepted[0] != "*":
        yield accepted


def _catalogue_of(code: str) -> str:
    """The language of ours in which ``code`` is spoken, same script; else empty."""
    tags = available_locales()
    return next((tag for tag in tags if _parts(tag) == _parts(code)), "")


def _parts(tag: str) -> tuple[str, ...]:
    """(language, script) of a tag, the likely script filled in; unique if unknown."""
    try:
        found = babel.Locale.parse(tag.replace("_", "-"), sep="-")
    except (ValueError, babel.UnknownLocaleError):
        return (f"?{tag}",)
    return found.language, found.script or _likely_script(found)


def _likely_script(tag: babel.Locale) -> str:
    """The script that a language is usually written in there (CLDR likely subtags)."""
    likely = get_global("likely_subtags")
    full = likely.get(f"{tag.language}_{tag.territory}") or likely.get(tag.language, "")
    return str(full).split("_")[1] if "_" in str(full) else ""


def _name_of(tag: str) -> str:
    try:
        return str(babel.Locale.parse(tag.replace("_", "-"), sep="-").display_name)
    except (ValueError, babel.UnknownLocaleError):
        return tag


@lru_cache(maxsize=64)
def _load_catalogue(code: str) -> gettext.NullTranslations:
    folder = _catalogue_of(code).replace("-", "_")
    path = _TRANSLATIONS / folder / "LC_MESSAGES" / "consentkit.po"
    if not path.is_file():
        return gettext.NullTranslations()
    with path.open("rb") as source:
        catalogue = read_po(source)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _render(message: str, values: dict[str, object]) -> Markup:
    marked = _STRONG.sub(r"<strong>\1</strong>", str(escape(_typeset(message))))
    linked = _LINK.sub(r'<a href="{link}">\1</a>', marked)
    shown = {name: _shown(name, value) for name, value in values.items()}
    return Markup(linked).format(**shown)  # noqa: S704  escaped four lines above


def _typeset(message: str) -> str:
    """The message with the apostrophe that print uses, which no keyboard has."""
    return message.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")


def _shown(name: str, value: object) -> object:
    if isinstance(value, Markup) or name in {"link", "count"}:
        return value
    return Markup("<bdi>{}</bdi>").format(value)


def _time(at: datetime, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(timespec="seconds"), text
    )


def _spans(text: str) -> tuple[int, ...]:
    """Years, months, weeks, days, hours and minutes of an ISO 8601 duration."""
    if not _ISO_DURATION.match(text):
        raise DeclarationError(
            "a duration must be ISO 8601 with years, months, weeks or days, such as "
            f"'P1Y' or 'P90D'; got {text!r:.40}"
        )
    counts = {unit: int(count) for count, unit in _ISO_PART.findall(text)}
    return (*(counts.get(unit, 0) for unit in "YMWD"), 0, 0)


def _rounded(length: timedelta) -> tuple[int, ...]:
    """The same of a timedelta: 365 days are a year, other whole days stay days."""
    years, days = divmod(length.days, 365)
    if days:
        years, days = 0, length.days
    hours, rest = divmod(length.seconds, 3600)
    return years, 0, 0, days, hours, rest // 60
