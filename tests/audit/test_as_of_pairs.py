"""What a yes is worth as long as the yes to sending the data abroad is missing."""

from __future__ import annotations

import pytest

from consentkit.audit.annexed import notice_paths
from consentkit.audit.as_of import AsOf
from consentkit.audit.as_of import Question
from consentkit.audit.as_of import as_of
from consentkit.audit.as_of_report import answer_dict
from consentkit.audit.as_of_report import answer_lines
from consentkit.core.act import Millis
from consentkit.core.notice import Notice
from consentkit.log.checkpoint import open_checkpoint

from .builder import ALICE
from .builder import OFFER
from .builder import LogBuilder
from .builder import MemorySource
from .builder import answer
from .exported import HTML
from .exported import log_notice
from .exported import notice_of

TO_ABROAD = "credit-score.cross-border"
PAIRED = [OFFER, {**OFFER, "purpose": TO_ABROAD}]


def asked(log: LogBuilder, **files: bytes) -> AsOf:
    """What the log says of Alice at its end, with these files beside it."""
    source = MemorySource({**log.files(), **files})
    note = source.read("checkpoint")
    checkpoint = open_checkpoint(note, log.trust().log)
    return as_of(source, note, checkpoint, Question(ALICE, Millis(log.time)))


@pytest.mark.requirement("R100")
@pytest.mark.parametrize("abroad", [None, "requested", "refused", "given"])
def test_a_yes_without_the_yes_to_sending_it_abroad_is_not_sufficient(
    abroad: str | None,
) -> None:
    log, digest = LogBuilder(), "c" * 64
    log.notice(digest, PAIRED)
    answers = [answer()]
    if abroad is not None:
        answers.append(answer(abroad, purpose=TO_ABROAD))
    log.choice(ALICE, *answers, notice=digest)

    found = asked(log)

    basis = found.bases[0]
    whole = abroad == "given"
    assert (basis.in_force, basis.sufficient) == (True, whole)
    assert basis.missing == (None if whole else TO_ABROAD)
    told = answer_dict(found)["questions"][0]
    assert (told["sufficient"], told["missing"]) == (whole, basis.missing)
    lacking = (
        "credit-score / acme-credit: given, in force, but not sufficient: the yes to "
        "sending it abroad is missing"
    )
    assert (lacking in answer_lines(found)) is not whole


def test_a_yes_to_sending_it_abroad_alone_is_not_sufficient_either() -> None:
    log, digest = LogBuilder(), "c" * 64
    log.notice(digest, PAIRED)
    log.choice(ALICE, answer("refused"), answer(purpose=TO_ABROAD), notice=digest)

    found = asked(log)

    lines = "\n".join(answer_lines(found))
    assert "given, in force, but not sufficient: the yes to the sharing is" in lines
    assert [each.missing for each in found.bases] == [None, "credit-score"]


@pytest.mark.parametrize("country", ["GB", "US"])
def test_the_text_tells_whether_it_goes_abroad_where_only_half_was_asked(
    country: str,
) -> None:
    definition = {
        "controller": {"country": "GB"},
        "purpose": "credit-score",
        "recipient": {"country": country, "id": "acme-credit"},
    }
    manifest = {**notice_of().manifest, "purposes": [{"definition": definition}]}
    notice = Notice(manifest, HTML)
    log = LogBuilder()
    log_notice(log, notice)
    log.choice(ALICE, notice=notice.digest)
    text, html = notice_paths(notice.digest)

    found = asked(log, **{text: notice.manifest_bytes, html: HTML})

    assert found.bases[0].sufficient is (country == "GB")
