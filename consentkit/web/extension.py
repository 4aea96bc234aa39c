"""The Flask extension: one object, any number of apps, nothing of theirs kept on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any
from typing import ParamSpec
from typing import TypeVar

from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.period import millis_of
from consentkit.core.registry import Registry
from consentkit.core.representative import Representative
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.service import erasing
from consentkit.service import receipts as receipt_service
from consentkit.service import revoking
from consentkit.service.administering import Official
from consentkit.service.personal import personal_records
from consentkit.service.publishing import PublisherThread
from consentkit.service.sharing import Circumstances
from consentkit.service.starting import start
from consentkit.service.starting import warn_of_development_keys
from consentkit.web import frame
from consentkit.web import gate
from consentkit.web import gpc
from consentkit.web import overriding
from consentkit.web import sending
from consentkit.web.app_database import settle_database
from consentkit.web.bare import refuse_bare_view
from consentkit.web.blueprint import make_pages
from consentkit.web.bulk import Bulk
from consentkit.web.calling import caller
from consentkit.web.command_group import CommandGroup
from consentkit.web.config import read_config
from consentkit.web.delegating import Delegating
from consentkit.web.delivery_commands import deliver_in_background
from consentkit.web.greenlets import refuse_greenlets
from consentkit.web.guarded import Guarded
from consentkit.web.health import make_health
from consentkit.web.joining import Joining
from consentkit.web.joining import check_companion
from consentkit.web.loading import Loading
from consentkit.web.locale import check_spoken
from consentkit.web.log_lines import LineObserver
from consentkit.web.operating import Operating
from consentkit.web.releasing import Releasing
from consentkit.web.signals import SignalObserver
from consentkit.web.state import KEY
from consentkit.web.state import AppState
from consentkit.web.state import current_state
from consentkit.web.subject import subject_key
from consentkit.web.tokens import Tokens
from consentkit.web.widgets import consent_centre_link
from consentkit.web.widgets import consent_head
from consentkit.web.widgets import consent_widget

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from contextlib import AbstractContextManager
    from datetime import datetime
    from datetime import timedelta

    from flask import Flask
    from sqlalchemy import Engine

    from consentkit.core.decision import Decision
    from consentkit.core.purpose import Purpose
    from consentkit.core.vocabulary import DataCategory
    from consentkit.core.vocabulary import Recipient
    from consentkit.service.erasing import Erasure
    from consentkit.service.receipts import Receipt
    from consentkit.service.release import Release
    from consentkit.service.revoking import Revocation
    from consentkit.store.history import DisclosureRow
    from consentkit.web.config import Config
    from consentkit.web.subject import SubjectId

__all__ = ["ConsentKit"]

NAME = "consentkit"
P = ParamSpec("P")
R = TypeVar("R")


class ConsentKit(Loading, Joining, Delegating, Operating, Guarded, Releasing, Bulk):
    """Asks people, remembers their answers, and refuses what those do not cover.

    Declare once, ``init_app`` for each app, and tell it who is here::

        consent = ConsentKit(Registry.from_file("consent.toml"))
        consent.init_app(app)

        @consent.subject_loader
        def current_subject() -> str | None:
            return session.get("user_id")

    ``min_assurance`` arguments say how well proven the person's own part must be:
    ``"session"`` by default, so that an imported claim alone authorises nothing.
    """

    def __init__(self, registry: Registry, app: Flask | None = None) -> None:
        if not isinstance(registry, Registry):
            raise ConfigurationError(
                "ConsentKit needs a Registry: ConsentKit(Registry(controller, "
                f"[purpose, …])); got {type(registry).__name__}"
            )
        self.registry = registry
        super().__init__()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, *, engine: Engine | None = None) -> None:
        """Set up consent for ``app``: tables, keys, log, pages and commands.

        ``engine`` is of the app's own database, where the consents are to be kept.

        Raises:
            DeclarationError: a mandatory element of a notice is missing; the error
                names every one (R1).
            ConfigurationError: a ``CONSENTKIT_*`` key cannot be used, a declared
                language is not one of ours, a template that the app puts in place
                of ours breaks a rule, the app is set up already, or threads are
                greenlets here.
            LogUnavailableError: the database cannot be reached or written.
        """
        if KEY in app.extensions:
            raise ConfigurationError(
                "consentkit is already set up for this app: call init_app once"
            )
        refuse_greenlets()
        check_spoken(self.registry.locales)
        shared = settle_database(app, engine)
        check_companion(self._loaders, shared=shared)
        config = read_config(app, self.registry)
        observer = LineObserver(SignalObserver(app))
        state = self._state(config, observer, shared=shared)
        if not (app.debug or app.testing):
            warn_of_development_keys(state.installation)
        app.register_blueprint(make_pages(NAME, config.url_prefix))
        app.register_blueprint(gpc.make_well_known(f"{NAME}_well_known"))
        app.register_blueprint(make_health(f"{NAME}_health", config.url_prefix))
        app.extensions[KEY] = state
        app.before_request(_publish_in_background)
        app.before_request(refuse_bare_view)
        app.after_request(gpc.settle)  # after the next line: the last one is first
        app.after_request(frame.protect_widget)
        app.jinja_env.globals.update(
            consent_widget=consent_widget,
            consent_head=consent_head,
            consent_centre_link=consent_centre_link,
        )
        app.cli.add_command(CommandGroup())
        overriding.check_at_start(app)
        state.overrides.judge = sending.honest

    def check(
        self,
        subject: SubjectId,
        purpose: str | Purpose,
        *,
        recipient: str | Recipient,
        data: Collection[str | DataCategory] | None = None,
        min_assurance: Assurance | str = Assurance.SESSION,
        max_staleness: timedelta | None = None,
    ) -> Decision:
        """Whether this may be shared now: one read of the newest commit, no write.

        ``data`` left out means every category that the purpose declares for that
        recipient. The decision is falsy when it denies and says why; whatever fails,
        it denies. With ``max_staleness`` it may be that of a moment ago, at most so
        long, as a replica knows it (docs/postgres.md); to share, ask without.
        """
        return gate.check(
            subject,
            purpose,
            recipient=recipient,
            data=data,
            min_assurance=min_assurance,
            max_staleness=max_staleness,
        )

    def share(
        self,
        subject: SubjectId,
        purpose: str | Purpose,
        *,
        recipient: str | Recipient,
        data: Collection[str | DataCategory] | None = None,
        min_assurance: Assurance | str = Assurance.SESSION,
        amount: int = 1,
        sends: int = 1,
    ) -> AbstractContextManager[Release]:
        """A block that may share; its line in the log is durable before it runs.

        ``amount`` is how many records it means to hand over, for the line; ``sends``
        how many requests a guarded session may make to the recipient within it.

        Raises (on entering the block):
            ConsentDeniedError: the answer does not cover it; that is on record too.
        """
        return gate.share(
            subject,
            purpose,
            recipient=recipient,
            data=data,
            min_assurance=min_assurance,
            circumstances=Circumstances(caller=caller(), amount=amount),
            sends=sends,
        )

    def require(
        self,
        purpose: str | Purpose,
        *,
        recipient: str | Recipient,
        data: Collection[str | DataCategory] | None = None,
        min_assurance: Assurance | str = Assurance.SESSION,
        sends: int = 1,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """A decorator for a view that shares: logged first, or refused.

        A browser is sent to the question, another client gets 403 and a problem
        document (RFC 9457). It goes below the route, next to the function.

        Raises:
            DeclarationError: purpose, recipient or data is not declared so.
        """
        wanted = None if data is None else gate.ids_of(data)
        gate.check_declared(self.registry, purpose, recipient, wanted)
        return gate.require(
            purpose,
            recipient=recipient,
            data=wanted,
            min_assurance=min_assurance,
            sends=sends,
        )

    def revoke(
        self,
        subject: SubjectId,
        purpose: str | Purpose | None = None,
        *,
        recipient: str | Recipient | None = None,
        by: Representative | Actor | str = Actor.SUBJECT,
    ) -> Revocation:
        """End one recipient's grant, a purpose's, or all; the next check denies.

        Repeating it is harmless. ``by`` somebody else than the person makes the
        recorded state *revoked* instead of *withdrawn*; who acts for the person is
        given as a ``Representative``.

        Raises:
            InvalidRequestError: no such purpose or recipient was ever declared,
                ``by`` is none of the actors, or may not act for the person (R40).
            LogUnavailableError: the database cannot be written.
        """
        ending = revoking.Ending(
            subject=subject_key(subject),
            purpose=None if purpose is None else gate.id_of(purpose),
            recipient=None if recipient is None else gate.id_of(recipient),
            actor=_actor(by),
            representative=by if isinstance(by, Representative) else None,
        )
        return revoking.revoke(current_state().installation, ending)

    def receipt(self, subject: SubjectId, record: str) -> Receipt | None:
        """The person's receipt for one consent record; None if it is not theirs."""
        installation = current_state().installation
        return receipt_service.find_receipt(installation, subject_key(subject), record)

    def history(self, subject: SubjectId) -> list[Receipt]:
        """Everything the person ever answered, newest first."""
        installation = current_state().installation
        return receipt_service.list_receipts(installation, subject_key(subject))

    def disclosures(
        self, subject: SubjectId, *, limit: int = 100, offset: int = 0
    ) -> list[DisclosureRow]:
        """Who received the person's data, newest first, refused attempts included."""
        installation = current_state().installation
        rows, _ = installation.history.disclosures(
            subject_key(subject), limit=limit, offset=offset, now=installation.clock()
        )
        return rows

    def export(self, subject: SubjectId) -> dict[str, Any]:
        """All that is held about the person, as in the file they can take along (R91).

        Raises:
            VerificationError: what is stored is no longer what was stored.
            LogUnavailableError: the database cannot be reached.
        """
        installation = current_state().installation
        return personal_records(installation, subject_key(subject)).to_dict()

    def erase(
        self,
        subject: SubjectId,
        *,
        reason: str,
        by: Official | str | None = None,
        hold_until: datetime | None = None,
    ) -> Erasure:
        """Forget a person: nothing ties them to the log any more, and it still holds.

        ``reason`` is a word for the log, such as ``"request"``. ``by`` is the official
        who does it, None where the person does. With ``hold_until`` their private
        evidence stays sealed until then, for claims (GDPR Art. 17(3)(e)). Repeating it
        is harmless.

        Raises:
            InvalidRequestError: the reason is no word, the hold ends before it begins,
                or nobody answers for it.
            LogUnavailableError: the database cannot be written; nothing was erased.
        """
        return erasing.erase(
            current_state().installation,
            erasing.Erasing(
                subject=subject_key(subject),
                reason=reason,
                by=Official.of(by, reason) if isinstance(by, str) else by,
                hold_until=None if hold_until is None else millis_of(hold_until),
            ),
        )

    def _state(
        self, config: Config, observer: LineObserver, *, shared: bool
    ) -> AppState:
        installation = start(
            self.registry,
            replace(config.places, shared=shared),
            origin=config.log_origin,
            origin_is_a_guess=config.log_origin_is_a_guess,
            cosigners=config.witnesses,
            authority=config.authority,
            endpoints=config.endpoints,
            retention=config.retention,
            ages=replace(config.ages, birthdays=lambda: self._loaders.birthday),
            observer=observer,
            companion=lambda: self._loaders.companion,
            publishes=config.publish,
            production=config.production,
        )
        return AppState(
            installation=installation,
            config=config,
            tokens=Tokens(installation.keyring.form_key, lifetime=config.form_lifetime),
            loaders=self._loaders,
            publisher=PublisherThread(installation) if config.publish else None,
        )


def _publish_in_background() -> None:
    """Start this process's publisher thread; here, since here no fork can follow."""
    refuse_greenlets()  # a server may have made them of threads after init_app
    publisher = current_state().publisher
    if publisher is not None and publisher.ensure_running():
        deliver_in_background()


def _actor(by: Representative | Actor | str) -> Actor:
    try:
        return Actor(by.actor if isinstance(by, Representative) else by)
    except ValueError as error:
        known = ", ".join(each.value for each in Actor)
        raise InvalidRequestError(f"by must be one of {known}") from error
