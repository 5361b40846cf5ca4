"""Mutants of what people do by hand: adjusting a member's money, and announcing to many."""

from infra.mutants.model import Mutant

ADJUSTING = ("tests/integration/test_ledger_adjusting.py",)
TWO_PEOPLE = ("tests/unit/ledger/test_ledger_two_people.py",)
LAUNCHING = ("tests/integration/test_notices_launching.py",)
LAUNCHING_OFFERS = ("tests/integration/test_notices_launching_offers.py",)
CHOICES = ("tests/unit/members/test_members_choices.py",)
ANNOUNCING = ("tests/unit/members/test_members_announcing.py",)
SWITCHING = ("tests/unit/members/test_members_switching.py",)
ELIGIBILITY = ("tests/unit/loyalty/test_loyalty_eligibility.py",)
_ADJUSTMENT = "chalicelib/ledger/adjusting/model.py"
_ADJUSTING = "chalicelib/ledger/adjusting/service.py"
_LAUNCHING = "chalicelib/notices/launching/service.py"
_CHOICES = "chalicelib/members/choices.py"
_SWITCHING = "chalicelib/members/switching.py"

MUTANTS = (
    Mutant(
        "one_person_is_enough",
        "whoever proposes an adjustment approves it",
        _ADJUSTMENT,
        "        if person_of(by) == person_of(before.proposed_by):\n",
        "        if person_of(by) == before.decided_by:\n",
        ADJUSTING,
    ),
    Mutant(
        "same_name_in_another_role_is_another_person",
        "whoever proposes an adjustment approves it under another role",
        _ADJUSTMENT,
        "    return found[1].lower()\n",
        "    return arn.lower()\n",
        TWO_PEOPLE,
    ),
    Mutant(
        "machine_approves",
        "a session that a library named counts as the second person",
        _ADJUSTMENT,
        "found is None or _ROLE_ALONE.fullmatch(arn) or _MACHINE.fullmatch(found[1])",
        "found is None or _ROLE_ALONE.fullmatch(arn)",
        TWO_PEOPLE,
    ),
    Mutant(
        "refused_adjustment_is_approved",
        "what one person refused another approves after all",
        _ADJUSTMENT,
        "if before.state is not AdjustmentState.PROPOSED:",
        "if before.state is AdjustmentState.APPROVED:",
        ADJUSTING,
    ),
    Mutant(
        "forgotten_proposal_is_approved",
        "a proposal that everybody forgot is approved months later",
        _ADJUSTMENT,
        "        if now - before.proposed_at > DECIDED_WITHIN:\n",
        "        if before.proposed_at - now > DECIDED_WITHIN:\n",
        ADJUSTING,
    ),
    Mutant(
        "any_amount_is_taken",
        "by hand any amount may be taken from a member",
        _ADJUSTMENT,
        "if not 0 < abs(self.amount.minor) <= MINOR_MAX:",
        "if not self.amount.minor or self.amount.minor > MINOR_MAX:",
        ADJUSTING,
    ),
    Mutant(
        "another_amount_is_the_same_adjustment",
        "who proposes more under a reference is told that it stands",
        _ADJUSTMENT,
        "mine = (self.reference, self.member_id, self.amount, self.reason)\n"
        "        return mine == (other.reference, other.member_id, other.amount, other.reason)",
        "mine = (self.reference, self.member_id, self.reason)\n"
        "        return mine == (other.reference, other.member_id, other.reason)",
        ADJUSTING,
    ),
    Mutant(
        "adjustment_leaves_the_list_too_early",
        "an adjustment whose run dies before it is entered is on no list",
        _ADJUSTING,
        "by=by, now=now)\n    moving.adjust(",
        "by=by, now=now)\n    store.drop_open(reference)\n    moving.adjust(",
        ADJUSTING,
    ),
    Mutant(
        "two_decide_at_once",
        "of two people who decide at the same moment both are believed",
        "chalicelib/ledger/adjusting/store.py",
        "condition=AdjustmentRow.version == after.version)",
        "condition=AdjustmentRow.pk.exists())",
        ADJUSTING,
    ),
    Mutant(
        "launch_forks",
        "a message whose step is done announces and queues once more",
        _LAUNCHING,
        "if launch is None or launch.version > message.step or launch.state",
        "if launch is None or launch.version > message.step + 1 or launch.state",
        LAUNCHING,
    ),
    Mutant(
        "step_is_done_before_the_next_is_queued",
        "a launch whose run dies after it wrote how far it came stops for ever",
        _LAUNCHING,
        "    if after.state is LaunchState.WALKING:\n        following",
        "    store.record(after)\n    if after.state is LaunchState.WALKING:\n        following",
        LAUNCHING,
    ),
    Mutant(
        "step_is_done_before_it_is_announced",
        "a hundred members are left out where a run dies before it told them",
        _LAUNCHING,
        "    announcing.announce([launch.announcement_to(member_id) for member_id in told])\n"
        "    after = went_on(launch, told, is_last=len(told) < members_at_once)\n",
        "    after = went_on(launch, told, is_last=len(told) < members_at_once)\n"
        "    store.record(after)\n"
        "    announcing.announce([launch.announcement_to(member_id) for member_id in told])\n",
        LAUNCHING,
    ),
    Mutant(
        "offer_for_some_is_told_to_all",
        "an offer for an audience is announced to everybody",
        _LAUNCHING,
        "    if not campaign.audience.is_everybody:\n",
        "    if not campaign.audience:\n",
        LAUNCHING_OFFERS,
    ),
    Mutant(
        "offer_is_told_before_it_runs",
        "an offer that does not run yet is announced",
        _LAUNCHING,
        "    if campaign.stage_at(now) is not Stage.LIVE:\n",
        "    if campaign.stage_at(now) is Stage.ENDED:\n",
        LAUNCHING_OFFERS,
    ),
    Mutant(
        "one_consent_is_all",
        "who consented to hear of partners hears of offers too",
        _CHOICES,
        "(topic is None or self.has_consented(topic))",
        "(topic is None or bool(self.consents))",
        CHOICES,
    ),
    Mutant(
        "consent_is_renewed_by_repeating_it",
        "a consent that is given again is as young as its repeat",
        _CHOICES,
        "    if is_wanted == choices.has_consented(topic):\n",
        "    if not is_wanted and not choices.has_consented(topic):\n",
        CHOICES,
    ),
    Mutant(
        "bought_as_it_was_switched_on",
        "what is bought at the moment of switching on counts as bought before",
        _SWITCHING,
        "one.service is service and at < one.at)",
        "one.service is service and at <= one.at)",
        SWITCHING,
    ),
    Mutant(
        "any_service_switched_on",
        "who switches offers on was without stamps until then",
        _SWITCHING,
        "one.service is service and at < one.at)",
        "at < one.at)",
        SWITCHING,
    ),
    Mutant(
        "newest_switching_decides",
        "what was bought between switching on and off is forgotten for the next switching on",
        _SWITCHING,
        "    first = next(later, None)\n",
        "    first = max(later, key=lambda one: one.at, default=None)\n",
        SWITCHING,
    ),
    Mutant(
        "one_service_forgets_another",
        "who switches offers often has it forgotten when stamps were off",
        _SWITCHING,
        "own = [one for one in switches if one.service is new.service]",
        "own = list(switches)",
        SWITCHING,
    ),
    Mutant(
        "stamps_for_what_was_bought_while_off",
        "what was bought while stamps were off earns them once they are on again",
        "chalicelib/loyalty/cards/eligibility.py",
        "was_off(taker.switches, Service.STAMPS, at=sold_at)",
        "was_off(taker.switches, Service.STAMPS, at=now)",
        ELIGIBILITY,
    ),
)
