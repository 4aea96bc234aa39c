"""What apps use in their own tests; also a pytest plugin.

A test that needs a consent gets one by the door that people use: a page is loaded, the
form on it is sent. There is no switch that opens the gate.

Only the fixture needs pytest; the functions do for other test runners as well.
"""

from __future__ import annotations

import contextlib
import re
from importlib import import_module
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from consentkit.core.registry import Registry
    from consentkit.service.watching import Incident
    from consentkit.service.watching import Watch
    from consentkit.web.extension import ConsentKit

__all__ = ["answer", "confirm", "form_token"]

_TOKEN = re.compile(r'name="token" value="([^"]+)"')
_ACCEPT = re.compile(r'name="(choice\.[^"]+)" value="given"')
_HOST_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_REACHED = "consentkit/gates"  # in pytest's cache, where ``flask consent doctor`` looks


def form_token(page: str) -> str:
    """The token of the first form on a page of ours.

    Raises:
        ValueError: there is no such form, for instance because nobody is signed in.
    """
    found = _TOKEN.search(page)
    if found is None:
        raise ValueError("the page holds no form of consentkit; is somebody signed in?")
    return found[1]


def answer(
    client: FlaskClient,
    purpose: str,
    answers: dict[str, str],
    *,
    prefix: str = "/consent",
    optional: dict[str, list[str]] | None = None,
    abroad: dict[str, str] | None = None,
) -> TestResponse:
    """Answer the question about ``purpose`` as the person signed in to ``client``.

    ``answers`` maps a recipient id to ``"given"``, ``"refused"`` or ``"deferred"``;
    ``optional`` maps a recipient id to the optional data categories to tick;
    ``abroad`` answers the separate question about sending data to another country.
    The page that comes back tells what was saved, or why nothing was.

    Raises:
        ValueError: there is no form to send, for instance because nobody is signed in.
    """
    page = client.get(f"{prefix}/ask/{purpose}").get_data(as_text=True)
    form_token(page)
    form: dict[str, str | list[str]] = {
        # The last form is the question's; those before it stop what was agreed.
        "token": _TOKEN.findall(page)[-1],
    }
    if host_token := _HOST_TOKEN.search(page):
        form["csrf_token"] = host_token[1]
    for recipient, state in answers.items():
        form[f"choice.{purpose}.{recipient}"] = state
    for recipient, state in (abroad or {}).items():
        form[f"choice.{purpose}.cross-border.{recipient}"] = state
    for recipient, data in (optional or {}).items():
        form[f"data.{purpose}.{recipient}"] = data
    return client.post(f"{prefix}/choices", data=form, follow_redirects=True)


def confirm(
    client: FlaskClient, address: str, *, answer: str = "given"
) -> TestResponse:
    """Open the link that was sent, and press on it as the person signed in.

    ``address`` is that of the ``ConfirmationLink`` which your own
    ``confirmation_sender`` got; ``answer`` is ``"given"`` or ``"refused"``, to all that
    the link asks. What a link that no longer counts leads to is returned as it is.
    """
    page = client.get(address, follow_redirects=True)
    html = page.get_data(as_text=True)
    asked = _ACCEPT.findall(html)
    if not asked:
        return page
    form = {"token": form_token(html), **dict.fromkeys(asked, answer)}
    if host_token := _HOST_TOKEN.search(html):
        form["csrf_token"] = host_token[1]
    path = urlsplit(address).path.rpartition("/")[0]
    return client.post(path, data=form, follow_redirects=True)


def _registry(app: ConsentKit | Registry) -> Registry:
    from consentkit.core.registry import Registry  # noqa: PLC0415  as below

    return app if isinstance(app, Registry) else app.registry


def _found(place: str) -> Registry:
    module, _, name = place.partition(":")
    try:
        return _registry(getattr(import_module(module), name))
    except (ImportError, AttributeError, ValueError) as error:
        raise pytest.UsageError(
            "consentkit_watch: expected module:name of a ConsentKit or a Registry, "
            f"such as 'shop.consent:consent'; got {place!r} ({error})"
        ) from error


def _report(incidents: Iterable[Incident]) -> str:
    told = "\n".join(map(str, incidents))
    return f"talked to a recipient past the gate\n{told}"


def _assert_honest(html: str) -> None:
    # Loaded when it is used: coverage tools miss what a plugin brings in before them.
    from consentkit.lint import lint  # noqa: PLC0415
    from consentkit.lint.report import format_text  # noqa: PLC0415

    findings = lint(html)
    if findings.errors:
        pytest.fail(format_text(findings), pytrace=False)


try:
    import pytest
except ModuleNotFoundError:
    pass  # another test runner; what is defined above is all there is for it
else:
    __all__ += ["assert_honest", "watch_recipients"]

    @pytest.fixture
    def assert_honest() -> Callable[[str], None]:
        """A check that a page of the app breaks no rule against dark patterns.

        A page that asks nothing passes; warnings are not counted. It needs the extra
        ``lint``.
        """
        return _assert_honest

    @pytest.fixture
    def watch_recipients() -> Iterator[Callable[..., None]]:
        """A function that watches the recipients of a ``ConsentKit`` in this test.

        From then on the test fails if anything in this process talks to one of their
        hosts without a share with it, by whatever library. The ini option
        ``consentkit_watch`` does the same for all tests.
        """
        from consentkit.service.watching import watched  # noqa: PLC0415  as above

        with contextlib.ExitStack() as stack:
            watches: list[Watch] = []
            yield lambda *apps: watches.append(
                stack.enter_context(watched(*map(_registry, apps)))
            )
            incidents = [each for watch in watches for each in watch.take()]
        if incidents:
            pytest.fail(_report(incidents), pytrace=False)

    def pytest_addoption(parser: pytest.Parser) -> None:
        """Add the option that turns the watch on."""
        parser.addini(
            "consentkit_watch",
            "where the ConsentKit of an app is, as module:name: tests fail that talk "
            "to one of its recipients without a share",
            type="linelist",
        )

    def pytest_configure(config: pytest.Config) -> None:
        """Watch, if the option says whose recipients."""
        if places := config.getini("consentkit_watch"):
            config.pluginmanager.register(_Watching(places), "consentkit-watching")

    class _Watching:
        def __init__(self, places: list[str]) -> None:
            self._places = places
            self._watch: Watch
            self._reached: set[tuple[str, str]] = set()

        @pytest.hookimpl(wrapper=True)
        def pytest_runtestloop(self, session: Any) -> Iterator[Any]:
            from consentkit.service.watching import watched  # noqa: PLC0415  as above

            with watched(*map(_found, self._places)) as self._watch:
                ran = yield
            self._reached |= self._watch.reached
            if hasattr(session.config, "workeroutput"):  # pytest-xdist: one of several
                session.config.workeroutput[_REACHED] = sorted(self._reached)
            elif hasattr(session.config, "cache"):
                seen = {
                    "tests": session.testscollected,
                    "reached": sorted(self._reached),
                }
                session.config.cache.set(_REACHED, seen)
            return ran

        @pytest.hookimpl(optionalhook=True)
        def pytest_testnodedown(self, node: Any) -> None:
            self._reached |= set(map(tuple, node.workeroutput.get(_REACHED, ())))

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
            return (yield from self._judge(item))

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
            return (yield from self._judge(item))

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
            return (yield from self._judge(item))

        def _judge(self, item: pytest.Item) -> Iterator[None]:
            try:
                return (yield)
            finally:
                # Whatever came of it: code that swallows the error has sent all the
                # same, as far as it knows.
                if incidents := self._watch.take():
                    pytest.fail(f"{item.nodeid}: {_report(incidents)}", pytrace=False)
