"""A gate among the other decorators of a view, and what it takes as arguments."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from consentkit.core.decision import ShareRequest
from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentDeniedError
from consentkit.errors import DeclarationError
from consentkit.service.live import live_releases
from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

LINES = "SELECT kind FROM consent_leaf WHERE kind IN ('disclosure', 'denial')"


def signed_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """What any other decorator of a view is like."""

    @functools.wraps(view)
    def within(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return within


class Views:
    def method(self) -> str:
        return "sent"


def test_a_gate_above_others_above_the_route_stops_the_view_too(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path)
    require = functools.partial(
        shop.consent.require, "credit-score", recipient="acme-credit"
    )

    def view() -> str:
        return "sent"

    for wrong, routed in enumerate(
        [
            lambda route: require()(signed_in(route(copied(view)))),
            lambda route: require()(signed_in(signed_in(route(copied(view))))),
            lambda route: require()(route(signed_in(copied(view)))),
            lambda route: require()(signed_in(route(Views().method))),
            lambda route: require()(route(functools.partial(view))),
            lambda route: require()(signed_in(route(require()(copied(view))))),
            lambda route: routed_before(route, require(), copied(view)),
        ]
    ):
        routed(shop.app.post(f"/wrong{wrong}", endpoint=f"wrong{wrong}"))
    for wrong in range(7):
        with pytest.raises(ConfigurationError, match=r"below @app\.route"):
            shop.app.test_client().post(f"/wrong{wrong}")
    told = shop.app.test_cli_runner().invoke(args=["consent", "doctor"])
    assert told.exit_code == 1
    for wrong in range(7):
        assert f"'wrong{wrong}' is routed without its gate" in told.output


def routed_before(
    route: Callable[..., Any], gate: Callable[..., Any], view: Callable[..., Any]
) -> None:
    """What goes round the view is routed, and the gate is put before the view."""
    around = signed_in(view)
    gate(view)
    route(around)


def copied(view: Callable[[], str]) -> Callable[[], str]:
    """Another function that does the same, so that none bears another one's mark."""

    def each() -> str:
        return view()

    return each


def test_a_gate_among_other_decorators_below_the_route_is_a_gate(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path)
    require = functools.partial(
        shop.consent.require, "credit-score", recipient="acme-credit", data={"spending"}
    )

    def view() -> str:
        return "sent"

    for right, gated in enumerate(
        [
            signed_in(require()(copied(view))),
            require()(signed_in(copied(view))),
            require()(signed_in(require()(signed_in(copied(view))))),
            require()(Views().method),
        ]
    ):
        shop.app.post(f"/right{right}", endpoint=f"right{right}")(gated)
    maya = shop.client(MAYA)
    assert [maya.post(f"/right{each}").status_code for each in range(4)] == [403] * 4
    answer(maya, "credit-score", {"acme-credit": "given"})
    assert [maya.post(f"/right{each}").text for each in range(4)] == ["sent"] * 4
    told = shop.app.test_cli_runner().invoke(args=["consent", "doctor"])
    assert "routed without its gate" not in told.output


def test_what_cannot_bear_a_mark_is_refused_where_it_is_gated(shop: Host) -> None:
    class Bare:
        __slots__ = ()
        __name__ = "bare"

        def __call__(self) -> str:
            return "sent"

    with pytest.raises(DeclarationError, match="got Bare: put a function round it"):
        shop.consent.require("credit-score", recipient="acme-credit")(Bare())


def run_by_hand(coroutine: Coroutine[Any, Any, str]) -> str:
    """Without a loop: a browser that a test drove may have left one in this thread."""
    with contextlib.closing(coroutine):
        while True:
            try:
                coroutine.send(None)
            except StopIteration as done:
                return str(done.value)


def test_an_async_view_runs_to_its_end_within_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = host(tmp_path)
    lived = []

    @shop.app.post("/async")
    @shop.consent.require(
        "credit-score", recipient="acme-credit", data=iter(["spending"])
    )
    async def view() -> str:
        await asyncio.sleep(0)
        lived.extend(each.purpose for each in live_releases())
        return "sent"

    maya = shop.client(MAYA)
    answer(maya, "credit-score", {"acme-credit": "given"})

    def run(view: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: run_by_hand(view(*args, **kwargs))

    def without(_view: Callable[..., Any]) -> Callable[..., Any]:
        raise RuntimeError("Install Flask with the 'async' extra")

    monkeypatch.setattr(shop.app, "async_to_sync", without)
    with pytest.raises(RuntimeError, match="'async' extra"):
        maya.post("/async")
    assert shop.sql(LINES) == []
    monkeypatch.setattr(shop.app, "async_to_sync", run)
    assert maya.post("/async").text == "sent"
    assert lived == ["credit-score"]
    assert shop.sql(LINES) == [("disclosure",)]


@pytest.mark.parametrize("sends", [True, 0, 10_001, 10**9, "1"])
def test_a_number_of_requests_that_is_none_is_refused(shop: Host, sends: Any) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    about: dict[str, Any] = {"recipient": "acme-credit", "data": {"spending"}}
    with pytest.raises(DeclarationError, match="sends must be"):
        shop.consent.require("credit-score", **about, sends=sends)
    with (
        shop.app.app_context(),
        pytest.raises(DeclarationError, match="sends must be"),
        shop.consent.share(MAYA, "credit-score", **about, sends=sends),
    ):
        pytest.fail("it ran")
    assert shop.sql(LINES) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": None},
        {"recipient": None},
        {"data": [None]},
        {"data": 0},
        {"purpose": ("credit-score",)},
    ],
)
def test_what_is_no_declared_value_and_no_id_is_told(
    shop: Host, wrong: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {"purpose": "credit-score", "recipient": "acme-credit"}
    asked.update(wrong)
    with shop.app.app_context():
        with pytest.raises(DeclarationError, match="got a value of type"):
            shop.consent.check(MAYA, **asked)
        with pytest.raises(DeclarationError, match="got a value of type"):
            shop.consent.check_many([ShareRequest(MAYA, **asked)])
        with (
            pytest.raises(DeclarationError, match="got a value of type"),
            shop.consent.share(MAYA, **asked),
        ):
            pytest.fail("it ran")


def test_a_number_too_long_to_be_written_is_nobodys_id(shop: Host) -> None:
    long, about = 10**5_000, ("credit-score", "acme-credit")
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    with shop.app.app_context():
        assert shop.consent.check(long, about[0], recipient=about[1]).reason == (
            "not_asked"
        )
        asked: list[Any] = [
            ShareRequest(each, *about, frozenset({"spending"})) for each in (long, MAYA)
        ]
        found = shop.consent.check_many(asked)
        assert [each.reason.value for each in found] == ["not_asked", "granted"]
        with (
            pytest.raises(ConsentDeniedError),
            shop.consent.share(long, about[0], recipient=about[1]),
        ):
            pytest.fail("it ran")


@pytest.mark.parametrize("wrong", [None, ("maya", "credit-score", "acme-credit"), "a"])
def test_check_many_says_what_it_takes(shop: Host, wrong: Any) -> None:
    with (
        shop.app.app_context(),
        pytest.raises(DeclarationError, match="takes ShareRequests, such as"),
    ):
        shop.consent.check_many([wrong])
