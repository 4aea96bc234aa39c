"""The published log over HTTP: for auditors, byte for byte, for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Container

import pytest
from flask.testing import FlaskClient

from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.keys import Verifier
from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

PATHS = ["checkpoint", "tile/0/000.p/7", "tile/entries/000.p/7"]
ROLES: dict[str, Callable[[], Container[str] | None]] = {
    "nothing": set,
    "none": lambda: None,
    "another role": lambda: {"operator"},
    "another role as text": lambda: "operator",
    "a role of which it is a part": lambda: "not-an-auditor",
    "a list of longer roles": lambda: ["auditors", "AUDITOR", "auditor "],
}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Host:
    shop = host(tmp_path_factory.mktemp("log"))
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "refused"})
    shop.publish()
    return shop


@pytest.fixture
def published(log: Host) -> Host:
    """A published log of seven entries; nobody has said yet who may see it."""
    log.state.loaders.roles = None
    return log


def files(shop: Host) -> dict[str, bytes]:
    """Every file of the published log by its path."""
    folder = shop.state.installation.log_folder
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.requirement("R116")
@pytest.mark.parametrize("path", PATHS)
def test_without_a_role_loader_there_is_no_log(path: str, published: Host) -> None:
    for client in (published.client(), published.client(MAYA)):
        sent = client.get(f"/consent/log/{path}")
        assert sent.status_code == 404
        assert sent.content_type == "application/problem+json"


@pytest.mark.requirement("R116")
@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("path", PATHS)
def test_without_the_role_there_is_no_log(
    path: str, name: str, published: Host
) -> None:
    published.consent.role_loader(ROLES[name])

    assert published.client(MAYA).get(f"/consent/log/{path}").status_code == 404


@pytest.mark.parametrize(
    "roles", [lambda: {"auditor"}, lambda: ["operator", "auditor"], lambda: "auditor"]
)
def test_an_auditor_gets_the_very_bytes_of_the_files(
    published: Host, roles: Callable[[], Container[str]]
) -> None:
    published.consent.role_loader(roles)
    auditor = published.client()
    written = files(published)
    assert set(PATHS) == set(written)

    for path, data in written.items():
        sent = auditor.get(f"/consent/log/{path}")
        assert sent.status_code == 200
        assert sent.data == data


def test_the_checkpoint_is_signed_with_the_key_that_auditors_hold(
    published: Host,
) -> None:
    published.consent.role_loader(lambda: {"auditor"})
    log = Verifier.parse(published.state.installation.keyring.vkeys[0])

    data = published.client().get("/consent/log/checkpoint").data

    assert open_checkpoint(data, [log]).size == 7


def test_what_never_changes_may_be_kept_and_the_checkpoint_may_not(
    published: Host,
) -> None:
    published.consent.role_loader(lambda: {"auditor"})
    auditor = published.client()

    tile = auditor.get(f"/consent/log/{PATHS[1]}").headers["Cache-Control"]
    checkpoint = auditor.get("/consent/log/checkpoint").headers["Cache-Control"]

    assert "immutable" in tile
    assert "private" in tile
    assert checkpoint == "private, max-age=1"


ABSENT = [
    "tile/0/001",
    "tile/0/000",
    "tile/0/000.p/8",
    "tile/0/000.p/0",
    "tile/0/0",
    "tile/0/../0/000.p/7",
    "tile/entries/000",
    "tile/63/000",
    "tile/x",
    "tile/",
    "tile/0/x001/000",
    "tile/0/%2e%2e/%2e%2e/consent.sqlite3",
    "secret.key",
    "",
]


@pytest.mark.parametrize("path", ABSENT)
def test_what_the_log_does_not_hold_is_not_found(path: str, published: Host) -> None:
    published.consent.role_loader(lambda: {"auditor"})

    assert published.client().get(f"/consent/log/{path}").status_code == 404


def test_before_the_first_publication_there_is_no_checkpoint(
    shop: Host, nobody: FlaskClient
) -> None:
    shop.consent.role_loader(lambda: {"auditor"})

    assert nobody.get("/consent/log/checkpoint").status_code == 404


def test_an_auditor_changes_nothing(published: Host) -> None:
    published.consent.role_loader(lambda: {"auditor"})
    auditor = published.client()

    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in PATHS:
            sent = auditor.open(f"/consent/log/{path}", method=method)
            assert sent.status_code == 405
