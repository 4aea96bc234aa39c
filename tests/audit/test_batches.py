"""A batch as an auditor sees it: everybody rests on a grant, or the entry is named."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.as_of import Question
from consentkit.audit.as_of import as_of
from consentkit.audit.batches import BatchPages
from consentkit.audit.bundle import FolderSource
from consentkit.audit.manifest import format_manifest
from consentkit.audit.manifest import print_of
from consentkit.audit.verify import Examination
from consentkit.audit.verify import find_faults
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.log.checkpoint import open_checkpoint
from consentkit.service.exporting import export
from consentkit.service.publishing import publish_all
from tests.service.batches import agreeing
from tests.service.batches import share_many
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.audit.report import Finding


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wallet]:
    """Five agreed and were in a batch; one of them stopped it afterwards."""
    wallet = Wallet(tmp_path_factory.mktemp("wallet"))
    asked = agreeing(wallet, 5)
    wallet.answer("no", CREDIT_SCORE, said=State.REFUSED)
    share_many(wallet, [*asked, "no"])
    wallet.revoke(asked[0])
    publish_all(wallet.installation)
    export(wallet.installation, wallet.folder / "export")
    yield wallet
    Wallet.close_all()


@pytest.fixture
def folder(shared: Wallet, tmp_path: Path) -> Path:
    """The export, to be changed."""
    found = tmp_path / "export"
    shutil.copytree(shared.folder / "export", found)
    return found


def faults(folder: Path, wallet: Wallet) -> list[Finding]:
    """What an auditor finds, the manifest written anew by whoever changed the rest."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    names = {each.relative_to(folder).as_posix(): each for each in files}
    del names["MANIFEST"]
    prints = {name: print_of(each.read_bytes()) for name, each in names.items()}
    (folder / "MANIFEST").write_bytes(format_manifest(prints))
    return list(find_faults(FolderSource(folder), trust=wallet.trust))


def page(folder: Path) -> Path:
    (found,) = folder.glob("batches/*/0.jsonl")
    return found


@pytest.mark.requirement("R75")
def test_an_export_shows_who_was_in_a_batch_and_each_rests_on_a_grant(
    shared: Wallet, folder: Path
) -> None:
    (leaf,) = shared.leaves("disclosure-batch")
    pages = BatchPages(FolderSource(folder))
    assert dict(pages.pages) == {leaf.id: 1}
    grants = {each.hash.hex(): each for each in shared.leaves("choice")}
    for entry in pages.entries(leaf.id):
        assert grants[entry.grant].subject == entry.subject
        assert grants[entry.grant].id == entry.record
    assert sum(1 for _ in pages.entries(leaf.id)) == leaf.body["count"] == 5
    assert faults(folder, shared) == []
    text = page(folder).read_text()
    assert "person-" not in text
    again = export(shared.installation, folder)  # nothing has changed
    assert again.batches == 1


def _swap(lines: list[bytes]) -> list[bytes]:
    return [lines[1], lines[0], *lines[2:]]


def _without_one(lines: list[bytes]) -> list[bytes]:
    return lines[:-1]


def _twice(lines: list[bytes]) -> list[bytes]:
    return [lines[0], *lines]


def _unreadable(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b":", b": "), *lines[1:]]


def _of_somebody_else(lines: list[bytes]) -> list[bytes]:
    start, end = lines[0][:-34], lines[0][-2:]
    return [start + b"0" * 32 + end, *lines[1:]]


def _on_another_record(lines: list[bytes]) -> list[bytes]:
    mine, theirs = lines[0].split(b'"'), lines[1].split(b'"')
    mine[7] = theirs[7]
    return [b'"'.join(mine), *lines[1:]]


TAMPERING: dict[str, tuple[Callable[[list[bytes]], list[bytes]], set[str]]] = {
    "another order": (_swap, {"batch"}),
    "somebody is missing": (_without_one, {"batch"}),
    "somebody is in it twice": (_twice, {"batch"}),
    "another spelling": (_unreadable, {"batch"}),
    "somebody who never agreed": (_of_somebody_else, {"batch", "grant"}),
    "another record": (_on_another_record, {"batch", "grant"}),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_pages_that_were_changed_are_found_at_the_batchs_entry(
    shared: Wallet, folder: Path, name: str
) -> None:
    change, steps = TAMPERING[name]
    lines = page(folder).read_bytes().splitlines()
    page(folder).write_bytes(b"".join(each + b"\n" for each in change(lines)))
    found = faults(folder, shared)
    index = shared.sql("SELECT idx FROM consent_leaf WHERE kind = 'disclosure-batch'")
    assert {each.step for each in found} == steps
    assert {each.entry for each in found} == {index[0][0]}


def test_pages_of_no_batch_are_found(shared: Wallet, folder: Path) -> None:
    page(folder).parent.rename(folder / "batches" / ("0" * 32))
    (finding,) = faults(folder, shared)
    assert (finding.step, finding.entry) == ("batch", None)


def test_somebody_who_had_stopped_it_is_found_though_the_root_is_right(
    tmp_path: Path,
) -> None:
    """The operator's own tables say yes once more, and its keys sign what they say."""
    wallet = Wallet(tmp_path)
    asked = agreeing(wallet, 3)
    before = wallet.sql("SELECT * FROM consent_state WHERE subject = ?", asked[1])
    wallet.revoke(asked[1])
    wallet.sql("DELETE FROM consent_state WHERE subject = ?", asked[1])
    marks = ", ".join("?" for _ in before[0])
    wallet.sql(f"INSERT INTO consent_state VALUES ({marks})", *before[0])  # noqa: S608  marks
    share_many(wallet, asked)
    publish_all(wallet.installation)
    export(wallet.installation, tmp_path / "export")
    found = list(find_faults(FolderSource(tmp_path / "export"), trust=wallet.trust))
    assert [each.step for each in found] == ["grant"]
    assert "withdrawn" in found[0].what
    Wallet.close_all()


def told_of_batches(folder: Path, wallet: Wallet) -> str:
    """The line on batches of a report that holds."""
    examination = Examination(FolderSource(folder), trust=wallet.trust)
    assert list(examination.find_faults()) == []
    report = examination.report()
    (line,) = (each for each in report.lines() if each.startswith("batches: "))
    shown = int(line.split(", ")[1].split()[0])
    assert report.to_dict()["batches"] == {"logged": 1, "with_people": shown}
    return line


def test_the_answer_about_a_moment_names_the_batches_that_somebody_was_in(
    shared: Wallet, folder: Path
) -> None:
    person, other = (
        shared.installation.history.person(each) for each in ("person-1", "no")
    )
    assert person
    assert other
    (leaf,) = shared.leaves("disclosure-batch")
    source = FolderSource(folder)
    note = source.read("checkpoint")
    checkpoint = open_checkpoint(note, shared.trust.log)

    def answer(handle: str) -> list[tuple[str, str]]:
        question = Question(handle, Millis(shared.clock.now))
        (basis,) = as_of(source, note, checkpoint, question).bases
        assert basis.batches == 0
        return [(entry.leaf.id, line.subject) for entry, line in basis.named]

    assert answer(person.handle) == [(leaf.id, person.handle)]
    assert answer(other.handle) == []
    assert told_of_batches(folder, shared) == "batches: 1, 1 of them with who was in it"
    shutil.rmtree(folder / "batches")
    (folder / "MANIFEST").unlink()
    assert told_of_batches(folder, shared) == "batches: 1, 0 of them with who was in it"
    question = Question(person.handle, Millis(shared.clock.now))
    (basis,) = as_of(FolderSource(folder), note, checkpoint, question).bases
    assert (basis.batches, basis.named) == (1, ())
