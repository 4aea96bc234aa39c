"""The answer about one person and moment, as JSON of a fixed shape and in words."""

from __future__ import annotations

import json

from consentkit.audit.annexed import notice_paths
from consentkit.audit.as_of import AsOf
from consentkit.audit.as_of import Question
from consentkit.audit.as_of import as_of
from consentkit.audit.as_of_report import NOT_CHECKED
from consentkit.audit.as_of_report import answer_dict
from consentkit.audit.as_of_report import answer_files
from consentkit.audit.as_of_report import answer_lines
from consentkit.core.act import Millis
from consentkit.log.checkpoint import open_checkpoint

from .builder import ALICE
from .builder import ORIGIN
from .builder import SCOPE
from .builder import LogBuilder
from .builder import MemorySource
from .builder import answer as answer_to
from .exported import exported
from .exported import notice_of
from .exported import told_log

DIGEST = notice_of().digest
FILES = list(notice_paths(DIGEST))
UNCHECKED = [f"Not checked: {each}." for each in NOT_CHECKED]


def answer_of(log: LogBuilder, files: dict[str, bytes]) -> AsOf:
    source = MemorySource(files)
    note = source.read("checkpoint")
    checkpoint = open_checkpoint(note, log.trust().log)
    return as_of(source, note, checkpoint, Question(ALICE, Millis(log.time)))


def stopped_log() -> LogBuilder:
    """4: yes, 5: shared, 7: withdrawn, 8: stopped by the operator."""
    log = told_log()
    log.suspension("suspend", "credit-score")
    return log


def given_log() -> LogBuilder:
    """A yes that still stands, without a text at hand; two shares."""
    log = LogBuilder()
    record = log.choice(ALICE, answer_to(data=["contacts", "spending"]))
    log.disclosure(record, data=["contacts", "spending"])
    log.disclosure(record)
    return log


def entry(index: int) -> dict[str, object]:
    return {
        "log": ORIGIN,
        "entry": index,
        "id": f"{index:032x}",
        "time": f"2026-01-01T00:00:{index + 1:02}.000Z",
        "proof": f"entry-{index}.tlog-proof",
    }


def line(index: int) -> str:
    return f"entry {index}, 1 January 2026, 00:00:{index + 1:02} UTC, id {index:032x}"


def test_the_answer_in_json_says_all_that_it_rests_on() -> None:
    log = stopped_log()

    assert answer_dict(answer_of(log, exported(log))) == {
        "subject": ALICE,
        "at": "2026-01-01T00:00:09.000Z",
        "questions": [
            {
                "purpose": "credit-score",
                "recipient": "acme-credit",
                "state": "withdrawn",
                "in_force": False,
                "sufficient": False,
                "missing": None,
                "standing": {
                    "record": f"{7:032x}",
                    "data": [],
                    "scope": SCOPE,
                    "since": "2026-01-01T00:00:08.000Z",
                    "until": None,
                    "assurance": "session",
                },
                "acts": [
                    {**entry(4), "state": "given"},
                    {**entry(7), "state": "withdrawn"},
                ],
                "notice": {
                    **entry(3),
                    "digest": DIGEST,
                    "locale": "en",
                    "version": "1",
                    "files": FILES,
                    "text": [
                        "May Acme see what you spend?",
                        "It works out a score.",
                        "No",
                        "Yes",
                    ],
                },
                "shares": [{**entry(5), "data": ["spending"], "record": f"{4:032x}"}],
                "batches": 0,
                "in_batches": [],
                "released_without_consent": [],
                "stopped": entry(8),
            }
        ],
        "known": True,
        "erased": None,
        "previous": [],
        "not_checked": list(NOT_CHECKED),
    }


def test_the_answer_in_words_says_the_same() -> None:
    log = stopped_log()

    assert list(answer_lines(answer_of(log, exported(log)))) == [
        f"Subject {ALICE}, 1 January 2026, 00:00:09 UTC:",
        "",
        "credit-score / acme-credit: withdrawn, NOT in force",
        "  data:      none",
        "  assurance: session",
        f"  stopped by the operator: {line(8)}",
        "  said by then:",
        f"    given: {line(4)}",
        f"    withdrawn: {line(7)}",
        f"  text shown: {DIGEST}, logged by entry 3",
        f"    {FILES[1]}, locale en",
        "    | May Acme see what you spend?",
        "    | It works out a score.",
        "    | No",
        "    | Yes",
        "  shared by then: 1",
        f"    spending, on the act {4:032x}: {line(5)}",
        "",
        *UNCHECKED,
    ]


def test_a_grant_in_force_is_told_with_its_data_and_its_end() -> None:
    log = given_log()
    answer = answer_of(log, log.files())

    (question,) = answer_dict(answer)["questions"]
    assert question["in_force"] is True
    assert question["standing"]["until"] == "2027-01-01T00:00:00.000Z"
    assert (question["notice"]["files"], question["notice"]["text"]) == ([], None)
    assert question["stopped"] is None
    lines = list(answer_lines(answer))
    assert lines[2:6] == [
        "credit-score / acme-credit: given, in force",
        "  data:      contacts, spending",
        "  until:     1 January 2027, 00:00:00 UTC",
        "  assurance: session",
    ]
    assert "    the text is not here; ask the operator for an export" in lines
    assert lines[-len(UNCHECKED) - 4 : -len(UNCHECKED) - 1] == [
        "  shared by then: 2",
        f"    contacts, spending, on the act {3:032x}: {line(4)}",
        f"    spending, on the act {3:032x}: {line(5)}",
    ]


def test_an_erased_person_is_told_as_one_on_whom_nothing_stands() -> None:
    log = given_log()
    log.erasure(ALICE)
    answer = answer_of(log, log.files())

    assert answer_dict(answer)["erased"] == entry(6)
    assert answer_dict(answer)["questions"][0]["standing"] is None
    lines = list(answer_lines(answer))
    assert lines[1] == "  was erased by entry 6; nothing stands since"
    assert lines[3] == "credit-score / acme-credit: nothing stands, NOT in force"


def test_a_person_of_whom_nothing_is_known_gets_an_answer_too() -> None:
    log = LogBuilder()
    answer = answer_of(log, log.files())

    assert answer_dict(answer)["known"] is False
    assert list(answer_lines(answer)) == [
        f"Subject {ALICE}, 1 January 2026, 00:00:03 UTC:",
        "  this handle is not in the log: no entry names it, then or later",
        "",
        *UNCHECKED,
    ]


def test_the_first_file_of_an_answer_is_the_answer_to_be_read_by_people() -> None:
    log = stopped_log()
    answer = answer_of(log, exported(log))

    (name, data), *_ = answer_files(answer)

    assert name == "answer.json"
    assert json.loads(data) == answer_dict(answer)
    assert data.startswith(b'{\n  "subject": "')
    assert data.endswith(b"\n}\n")
