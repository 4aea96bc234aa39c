"""The story of 2018, with another ending: one person's answer decides one share.

Three real processes; everything a person does goes over HTTP without JavaScript, and
everything an auditor does happens in an environment of their own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import consentkit

if TYPE_CHECKING:
    from tests.running import Person
    from tests.running import Running

_PUBLISHED_WITHIN = 10.0  # seconds; the publisher comes by every second
_STAND_ALONE = ("cryptography", "cffi", "pycparser")


def bill(person: Person) -> str:
    """The yearly bill as a person sees it, without the tokens of its forms."""
    page = person.get("/review")
    assert page.status_code == 200
    return re.sub(r'value="[^"]*"', "", page.text)


@pytest.fixture(scope="session")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has consentkit and cryptography, and nothing else of ours."""
    home = tmp_path_factory.mktemp("auditor")
    subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-m", "venv", "--without-pip", str(home)], check=True
    )
    (site,) = home.glob("lib/python*/site-packages")
    package = Path(consentkit.__file__).parent
    shutil.copytree(package, site / "consentkit")
    for name in _STAND_ALONE:
        for file in distribution(name).files or ():
            source = Path(str(file.locate()))
            if source.is_file() and ".." not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, site / file)
    return home / "bin" / "python"


def run(auditor: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; from consentkit.cli import main; code = main(sys.argv[1:]);"
        "assert not {'flask', 'sqlalchemy'} & set(sys.modules); sys.exit(code)"
    )
    return subprocess.run(  # noqa: S603  our own interpreter, our own arguments
        [str(auditor), "-c", program, *arguments],
        env={"PATH": os.defpath},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def key_options(running: Running) -> list[str]:
    vkeys = running.flask("consent", "keys", "list").split()
    assert re.match(r"wallet\.example/consent/\d{4}\+", vkeys[0]), "log key first"
    return [part for vkey in vkeys for part in ("--key", vkey)]


def download_proof(person: Person, receipt: str) -> bytes:
    """The ``.tlog-proof`` of a receipt, as soon as the log has taken it."""
    until = time.monotonic() + _PUBLISHED_WITHIN
    while True:
        answer = person.get(f"{receipt}.tlog-proof")
        if answer.status_code == 200:
            return answer.content
        assert answer.status_code == 503, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert time.monotonic() < until, "the log did not take the receipt in time"
        time.sleep(0.2)


def receipt_address(page: str) -> str:
    found = re.search(r'href="(/consent/receipts/[0-9a-f]{32})"', page)
    assert found, "the result page has no link to a receipt"
    return found[1]


def check_receipt(
    running: Running, auditor: Path, folder: Path, *, proof: bytes, facts: bytes
) -> None:
    """The receipt holds offline, and a damaged one does not."""
    keys = key_options(running)
    file, beside = folder / "receipt.tlog-proof", folder / "receipt.json"
    file.write_bytes(proof)
    beside.write_bytes(facts)
    held = run(auditor, "receipt", str(file), *keys, "--disclosures", str(beside))
    assert held.returncode == 0, held.stdout + held.stderr
    assert "acme-credit" in held.stdout
    damaged = bytearray(proof)
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)
    assert run(auditor, "receipt", str(file), *keys).returncode == 1


def check_log(running: Running, auditor: Path, folder: Path) -> None:
    """The log's folder holds, by the log key alone and by all keys."""
    running.flask("consent", "publish")
    copy = folder / "log"
    shutil.copytree(running.log_folder, copy)
    keys = key_options(running)
    for some in (keys[:2], keys):
        whole = run(auditor, "verify", str(copy), *some, "--json")
        assert whole.returncode == 0, whole.stdout + whole.stderr
        report = json.loads(whole.stdout)
        assert report["holds"] is True
        assert report["layers"]["log"] == report["layers"]["records"] == "holds"
    replayed = running.flask("consent", "rebuild", "--check")
    assert "the state is what the leaves say" in replayed


def wait_until_deleted(running: Running) -> None:
    """The scorer is told within seconds, by a thread of the wallet's."""
    deadline = time.monotonic() + 20
    while running.received("affiliate"):
        assert time.monotonic() < deadline, "the scorer still has it"
        time.sleep(0.2)


@pytest.mark.requirement("R15", "R24", "R30", "R47", "R48", "R49", "R53", "R55", "R63")
@pytest.mark.requirement("R57", "R64", "R75", "R77", "R99")
def test_an_answer_decides_what_the_scorer_gets_and_the_proof_needs_nobody(
    running: Running, auditor: Path, tmp_path: Path
) -> None:
    maya = running.sign_in("maya")
    before = bill(maya)

    # The bill was seen: nothing was shared, nothing was agreed to.
    assert running.received("affiliate") == []
    assert running.received("partner") == []

    # She asks for a score without having agreed: nothing leaves.
    assert "Nothing was sent" in maya.press("/credit-score").text
    assert running.received("affiliate") == []

    # She says no: nothing leaves, and her bill is what it was.
    said_no = maya.answer("credit-score", "refused")
    assert "<strong>no</strong>" in said_no.text
    maya.press("/credit-score")
    assert running.received("affiliate") == []
    assert bill(maya) == before

    # She says yes to the scorer, not ticking the optional city.
    said_yes = maya.answer("credit-score", "given")
    assert "<strong>yes</strong>" in said_yes.text
    receipt = receipt_address(said_yes.text)
    maya.press("/credit-score")
    (got,) = running.received("affiliate")
    assert set(got) == {
        "applicant",
        "data",
        "payments",
        "purpose",
        "record",
        "reference",
    }
    assert got["data"] == ["spending"]
    assert got["applicant"] == {}, "the city was optional and not ticked"
    assert {frozenset(payment) for payment in got["payments"]} == {
        frozenset({"paid_on", "amount", "kind"})
    }
    assert got["record"] == receipt.rpartition("/")[2]
    maya.press("/offers")
    assert running.received("partner") == [], "the partner was not agreed to"
    assert bill(maya) == before

    # She sees who got what, and what was refused, by real names.
    page = maya.get("/consent/disclosures").text
    assert page.count("Acme Credit Scoring Ltd") >= 3
    assert "Corner Shops Network Ltd" in page
    proof = download_proof(maya, receipt)

    # She stops it with one press: nothing more leaves, and the scorer, told of it,
    # deletes what it had.
    maya.stop()
    assert "Nothing was sent" in maya.press("/credit-score").text
    wait_until_deleted(running)
    assert bill(maya) == before

    # Her receipt and the whole log, checked by somebody who has nothing of ours but
    # the tool.
    facts = maya.get(f"{receipt}.json").content
    check_receipt(running, auditor, tmp_path, proof=proof, facts=facts)
    check_log(running, auditor, tmp_path)


@pytest.mark.requirement("R95", "R99")
def test_an_auditor_reads_the_log_over_http_and_nobody_else_does(
    running: Running, auditor: Path
) -> None:
    running.flask("consent", "publish")
    keys = key_options(running)
    host = running.wallet.removeprefix("http://")
    with_role = f"http://auditor:{running.auditor}@{host}/consent/log"
    held = run(auditor, "verify", with_role, *keys)
    assert held.returncode == 0, held.stdout + held.stderr
    without = run(auditor, "verify", f"http://{host}/consent/log", *keys)
    assert without.returncode != 0
    assert running.sign_in("tom").get("/consent/log/checkpoint").status_code == 404


@pytest.mark.requirement("R51", "R116")
def test_nobody_else_can_fetch_a_receipt(running: Running) -> None:
    ruth, tom = running.sign_in("ruth"), running.sign_in("tom")
    receipt = receipt_address(ruth.answer("shop-offers", "refused").text)
    assert ruth.get(receipt).status_code == 200
    for ending in ("", ".json", ".tlog-proof"):
        assert tom.get(receipt + ending).status_code == 404
