"""What consentkit keeps about one app, under ``app.extensions["consentkit"]``."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Container
from collections.abc import Hashable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any
from typing import Protocol
from typing import cast

from flask import current_app

from consentkit.errors import ConfigurationError

if TYPE_CHECKING:
    from flask import Flask
    from jinja2 import Environment
    from werkzeug.local import LocalProxy

    from consentkit.core.notice import Notice
    from consentkit.core.representative import Representative
    from consentkit.service.accompanying import Companion
    from consentkit.service.ages import Birthdays
    from consentkit.service.confirming import ConfirmationLink
    from consentkit.service.installation import Installation
    from consentkit.service.publishing import PublisherThread
    from consentkit.service.telling import ErasureHandler
    from consentkit.web.config import Config
    from consentkit.web.tokens import Tokens

__all__ = ["KEY", "AppState", "Judge", "Loaders", "Overrides", "current_state"]

KEY = "consentkit"


@dataclass
class Loaders:
    """What the host app tells us about who is here.

    ``subject`` gives the app's own id of the person, None if nobody is signed in;
    ``account_label`` how to show them which account it is; ``roles`` what else this
    request may see, of ``auditor`` and ``operator``. ``erasure`` erases what the app
    holds and consent no longer covers. ``confirmation`` sends the link that confirms a
    yes of two stages. ``birthday`` is that of a subject, None where it is not known;
    ``representative`` as whom the person signed in acts, None for themselves.
    ``companion`` writes the app's own row within the transaction of an act.
    """

    subject: Callable[[], object] | None = None
    account_label: Callable[[str], str] = lambda _subject: ""
    roles: Callable[[], Container[str] | None] | None = None
    erasure: ErasureHandler | None = None
    confirmation: Callable[[ConfirmationLink], object] | None = None
    birthday: Birthdays | None = None
    representative: Callable[[], Representative | None] | None = None
    companion: Companion | None = None


class Judge(Protocol):
    """What sees a page of ours before anybody gets it."""

    def __call__(self, template: str, values: Mapping[str, Any], html: str, /) -> str:
        """Return the page that may be sent: this one, or an honest one instead."""


def _as_it_is(_template: str, _values: Mapping[str, Any], html: str, /) -> str:
    return html


@dataclass
class Overrides:
    """The templates of ours that the app replaced, by name, as they were judged.

    ``settled`` says that nothing more can come: the app is complete. ``judge`` sees
    each page that is sent; ``ours`` are our templates, compiled in the app's dialect.
    """

    judged: Mapping[str, str] = field(default_factory=dict)
    settled: bool = False
    judge: Judge = _as_it_is
    ours: dict[str, Environment] = field(default_factory=dict)


@dataclass(frozen=True)
class AppState:
    """One app's installation and what the pages need beside it.

    ``seen_notices`` are digests that this process knows to be stored, and ``notices``
    those rendered by our own template, by all that went into them: the template,
    questions, language and address of the centre. A notice is never changed or deleted,
    so that remembering it cannot go stale.
    """

    installation: Installation
    config: Config
    tokens: Tokens
    loaders: Loaders
    publisher: PublisherThread | None
    seen_notices: set[str] = field(default_factory=set)
    notices: dict[Hashable, tuple[Notice, str]] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=Overrides)


def current_state() -> AppState:
    """The state of the current app.

    Raises:
        ConfigurationError: ``init_app`` was never called for it.
    """
    # The app itself: every name looked up on the proxy costs as much as all of this.
    app = cast("LocalProxy[Flask]", current_app)._get_current_object()  # noqa: SLF001  documented by Werkzeug
    state = app.extensions.get(KEY)
    if not isinstance(state, AppState):
        raise ConfigurationError(
            "consentkit is not set up for this app: call consent.init_app(app) first"
        )
    return state
