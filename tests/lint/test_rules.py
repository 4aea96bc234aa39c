"""One good question, spoilt one way at a time: only the right rule speaks."""

from __future__ import annotations

import pytest

from consentkit.lint import lint
from consentkit.lint.table import RULES

from .spoilt import GOOD
from .spoilt import SPOILT
from .spoilt import spoilt


def found_in(html: str) -> set[str]:
    return set(lint(html).rules_broken)


def test_the_question_is_good_before_it_is_spoilt() -> None:
    findings = lint(GOOD)

    assert list(findings) == []
    assert findings.questions == 1


def test_every_rule_is_tried() -> None:
    assert {rule for rule, *_ in SPOILT.values()} == {rule.id for rule in RULES}


@pytest.mark.requirement("D01")
@spoilt("D01")
def test_a_yes_that_is_on_from_the_start_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D02")
@spoilt("D02")
def test_a_grant_that_travels_unseen_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D03")
@spoilt("D03")
def test_a_yes_without_a_no_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D04")
@spoilt("D04")
def test_a_no_that_is_another_kind_of_control_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D08")
@spoilt("D08")
def test_text_that_is_too_small_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D09")
@spoilt("D09")
def test_what_has_to_be_known_and_is_not_in_view_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D10")
@spoilt("D10")
def test_one_control_for_several_purposes_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D11")
@spoilt("D11")
def test_one_control_for_several_recipients_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D12")
@spoilt("D12")
def test_a_form_with_other_business_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D13")
@spoilt("D13")
def test_consent_bundled_with_terms_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D14")
@spoilt("D14")
def test_a_yes_that_is_a_condition_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D15")
@spoilt("D15")
def test_a_no_that_shames_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D16")
@spoilt("D16")
def test_pressure_and_bait_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D17")
@spoilt("D17")
def test_a_double_negative_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D18")
@spoilt("D18")
def test_a_box_that_means_no_among_boxes_that_mean_yes_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D19")
@spoilt("D19")
def test_a_switch_that_hides_its_state_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D20")
@spoilt("D20")
def test_a_yes_that_does_not_say_so_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D21")
@spoilt("D21")
def test_a_statement_that_only_takes_note_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D22")
@spoilt("D22")
def test_a_vague_purpose_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D23")
@spoilt("D23")
def test_a_recipient_without_a_name_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D24")
@spoilt("D24")
def test_a_yes_taken_from_something_else_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D25")
@spoilt("D25")
def test_a_later_in_place_of_a_no_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D26")
@spoilt("D26")
def test_a_yes_by_waiting_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D27")
@spoilt("D27")
def test_a_yes_by_gesture_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D29")
@spoilt("D29")
def test_a_pair_that_swaps_places_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D30")
@spoilt("D30")
def test_a_yes_that_has_the_focus_or_the_enter_key_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D33")
@spoilt("D33")
def test_a_mixture_of_languages_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D34")
@spoilt("D34")
def test_what_leads_away_from_the_question_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D35")
@spoilt("D35")
def test_a_maze_of_choices_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D36")
@spoilt("D36")
def test_a_text_that_is_hard_to_read_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D37")
@spoilt("D37")
def test_a_text_that_contradicts_the_question_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D38")
@spoilt("D38")
def test_a_call_to_another_host_before_the_answer_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D41")
@spoilt("D41")
def test_a_no_that_is_disabled_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D42")
@spoilt("D42")
def test_a_control_without_its_name_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D43")
@spoilt("D43")
def test_a_yes_to_everything_that_includes_a_share_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D45")
@spoilt("D45")
def test_a_stop_that_is_made_hard_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D46")
@spoilt("D46")
def test_a_consent_without_a_way_back_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D06")
@spoilt("D06")
def test_a_yes_that_is_declared_heavier_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D07")
@spoilt("D07")
def test_text_that_is_declared_too_faint_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D31")
@spoilt("D31")
def test_a_stop_that_asks_for_more_than_a_press_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D32")
@spoilt("D32")
def test_a_dead_link_to_the_way_back_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D39")
@spoilt("D39")
def test_a_no_that_is_declared_too_small_is_found(html: str, broken: set[str]) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D40")
@spoilt("D40")
def test_a_switch_that_reads_another_state_than_it_tells_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken


@pytest.mark.requirement("D44")
@spoilt("D44")
def test_a_text_that_sets_the_signal_aside_is_found(
    html: str, broken: set[str]
) -> None:
    assert found_in(html) == broken
