"""``flask consent import``, and what the persons concerned see of it."""

from __future__ import annotations

import json
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask.testing import FlaskClient

from consentkit.testing import answer
from tests.service.test_importing import claim
from tests.service.test_importing import no
from tests.web.asking import API
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import body_of

BY = ("--by", "dpo@wallet.example", "--reason", "moved from the old register")


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    told = tmp_path / "claims.jsonl"
    month = (datetime.now(UTC) - timedelta(days=30)).isoformat(timespec="seconds")
    lines = claim(MAYA, time=month), no(TOM, time=month), claim("eve", time=month)
    told.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return told


def brings(shop: Host, path: Path, *more: str) -> Result:
    runner = shop.app.test_cli_runner()
    return runner.invoke(args=["consent", "import", str(path), *BY, *more])


@pytest.mark.requirement("R58")
def test_it_counts_writes_and_says_plainly_what_it_is_worth(
    shop: Host, claims: Path
) -> None:
    dry = brings(shop, claims, "--dry-run")
    assert "would be written: 3\n" in dry.output
    assert "Nothing that was imported opens the gate" in dry.stderr
    assert shop.acts() == 0

    done = brings(shop, claims, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["written"] == 3
    assert not shop.allows(MAYA)
    assert "left alone, since the question stands answered here: 3" in (
        brings(shop, claims).output
    )


def test_a_file_that_is_wrong_is_told_in_one_line(shop: Host, claims: Path) -> None:
    claims.write_text(claims.read_text() + json.dumps(claim("pat", state="yes")))

    done = brings(shop, claims)

    assert done.exit_code == 1
    assert done.stderr.endswith(
        "Error: line 4: expected as state one of given, refused\n"
    )
    assert shop.acts() == 0


@pytest.mark.requirement("R36", "R58")
def test_the_person_reads_who_said_so_and_is_asked(
    shop: Host, maya: FlaskClient, tom: FlaskClient, claims: Path
) -> None:
    brings(shop, claims)

    page = maya.get("/consent/").text
    assert "somebody else told us that you agreed to this" in page
    assert "You share data with <strong>nobody</strong>." in page
    assert "You said yes" not in page
    assert "Shared until" not in page
    assert 'data-ck-action="accept"' in maya.get("/").text
    (status,) = body_of(maya.get(f"{API}/status"))["answers"]
    assert (status["holds"], status["assurance"]) == (False, "asserted")
    assert "somebody else told us that you said no" in tom.get("/consent/").text

    answer(maya, "credit-score", {"acme-credit": "given"})
    assert shop.allows(MAYA)
    assert "You said yes" in maya.get("/consent/").text
