"""Time stamps as an operator sees them, and over HTTP as an auditor does."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
import time_machine

from consentkit.audit.timestamps import open_timestamp
from consentkit.log.note import split_note
from consentkit.testing import answer
from tests.tsa_process import Tsa
from tests.tsa_process import make_tsa
from tests.tsa_process import serve_tsa
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return make_tsa(tmp_path_factory.mktemp("tsa") / "tsa")


@pytest.fixture(scope="module")
def address(tsa: Tsa) -> Iterator[str]:
    with serve_tsa(tsa) as url:
        yield url


def stamped_host(folder: Path, url: str, tsa: Tsa) -> Host:
    return host(folder, CONSENTKIT_TSA_URL=url, CONSENTKIT_TSA_ROOT=str(tsa.root))


def flask(shop: Host, *arguments: str) -> str:
    done = shop.app.test_cli_runner().invoke(args=["consent", *arguments])
    assert done.exit_code == 0
    return done.output


@pytest.mark.requirement("R98")
def test_publishing_has_the_log_stamped_and_tells_when(
    tmp_path: Path, tsa: Tsa, address: str
) -> None:
    shop = stamped_host(tmp_path, address, tsa)
    assert flask(shop, "timestamps") == f"authority {address}: stamped nothing yet\n"

    told = flask(shop, "publish").splitlines()

    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert told[0] == "published: 3 entries"
    assert told[1].startswith(f"authority {address}: stamped 3 entries, {today}")
    assert flask(shop, "timestamps").splitlines() == told[1:]


@pytest.mark.requirement("R98")
def test_an_authority_that_is_down_costs_nothing_but_the_stamp(
    tmp_path: Path, tsa: Tsa, caplog: pytest.LogCaptureFixture
) -> None:
    shop = stamped_host(tmp_path, "http://127.0.0.1:9/tsr", tsa)

    assert flask(shop, "publish").splitlines() == [
        "published: 3 entries",
        "authority http://127.0.0.1:9/tsr: stamped nothing yet",
    ]
    assert "gave no stamp: it did not answer" in caplog.text
    later = time.time() + 5.5 * 3_600
    with time_machine.travel(later):
        assert flask(shop, "timestamps").endswith(
            "stamped nothing yet; no stamp for 5.5 hours\n"
        )


def test_who_follows_has_the_log_stamped_from_a_thread(
    tmp_path: Path, tsa: Tsa, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = stamped_host(tmp_path, address, tsa)
    started: list[str] = []
    monkeypatch.setattr(
        threading.Thread, "start", lambda thread: started.append(thread.name)
    )

    monkeypatch.setattr("consentkit.web.following.follow", lambda first, _work: first())
    shop.app.test_cli_runner().invoke(args=["consent", "publish", "--follow"])

    assert "consentkit-timestamps" in started


def test_without_an_authority_the_command_says_so(tmp_path: Path) -> None:
    shop = host(tmp_path)

    assert flask(shop, "timestamps") == "no time stamps: CONSENTKIT_TSA_URL is empty\n"
    assert flask(shop, "publish") == "published: 3 entries\n"


@pytest.mark.requirement("R98")
def test_auditors_get_stamps_over_http_and_nobody_else(
    tmp_path: Path, tsa: Tsa, address: str
) -> None:
    shop = stamped_host(tmp_path, address, tsa)
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    flask(shop, "publish")
    folder = shop.state.installation.log_folder
    (file,) = folder.glob("timestamps/*/*.tsr")
    path = f"/consent/log/{file.relative_to(folder)}"
    assert shop.client(MAYA).get(path).status_code == 404
    shop.consent.role_loader(lambda: {"auditor"})

    sent = shop.client().get(path)

    assert sent.status_code == 200
    assert sent.content_type == "application/timestamp-reply"
    assert sent.data == file.read_bytes()
    text = split_note((folder / "checkpoint").read_bytes()).text
    assert open_timestamp(sent.data, text=text, roots=tsa.roots)


@pytest.mark.parametrize(
    "path", ["5/0123456789abcdef.tsr", "05/x.tsr", "5", "5/../../checkpoint", "x/y.tsr"]
)
def test_what_was_never_stamped_is_not_found(tmp_path: Path, path: str) -> None:
    shop = host(tmp_path)
    shop.publish()
    shop.consent.role_loader(lambda: {"auditor"})

    assert shop.client().get(f"/consent/log/timestamps/{path}").status_code == 404
