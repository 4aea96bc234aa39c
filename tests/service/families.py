"""A wallet whose app knows birthdays, and the people in it."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING
from typing import Any

from consentkit.core.act import State
from consentkit.core.age import age_rule_of
from consentkit.core.age import prohibition_of
from consentkit.core.representative import Representative
from consentkit.log import sealing
from consentkit.service.ages import Ages
from consentkit.service.choosing import choose
from consentkit.service.corrected import disclosures_of
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from consentkit.core.age import AgeRule
    from consentkit.log.leaf import Leaf
    from consentkit.service.revoking import Revocation

__all__ = ["COMES_OF_AGE", "KIM", "PARENT", "RUTH", "Family"]

KIM, RUTH = "kim", "ruth"
COMES_OF_AGE = 1_772_323_200_000  # 1 March 2026, Kim's sixteenth birthday
PARENT = Representative(
    KIM,
    by=RUTH,
    actor="parent",
    verification="register-extract",
    evidence="case-4711",
    label="Kim",
)


@dataclass
class Family:
    """Kim is fifteen, and Ruth is Kim's mother; the clock stands at New Year 2026."""

    wallet: Wallet
    births: dict[str, date] = field(
        default_factory=lambda: {KIM: date(2010, 3, 1), RUTH: date(1980, 5, 5)}
    )

    def __post_init__(self) -> None:
        self.live_by(age_rule_of("DE"))

    def live_by(self, rule: AgeRule, profile: str = "", **ages: Any) -> None:
        """From now on that rule counts, and what the profile forbids."""
        found = Ages(
            rule, prohibition_of(profile), birthdays=lambda: self.births.get, **ages
        )
        self.wallet.installation = replace(self.wallet.installation, ages=found)

    def answers(
        self,
        who: Representative | None = None,
        key: tuple[str, str] = CREDIT_SCORE,
        said: State = State.GIVEN,
        **form: Any,
    ) -> Leaf:
        """Kim's answer, by who answers for them or by themselves."""
        sent = self.wallet.form(KIM, {key: said}, **form)
        found = choose(self.wallet.installation, replace(sent, representative=who))
        return found.leaf

    def stops(self, who: Representative | None = None) -> Revocation:
        """All that Kim agreed to is taken back."""
        return revoke(self.wallet.installation, Ending(KIM, representative=who))

    def facts(self, leaf: Leaf) -> dict[str, Any]:
        """What is sealed beside an act of Kim's."""
        installation = self.wallet.installation
        person = installation.history.person(KIM)
        assert person is not None
        told = disclosures_of(installation, person, leaf)
        return {each.name: each.value for each in map(sealing.parse_disclosure, told)}
