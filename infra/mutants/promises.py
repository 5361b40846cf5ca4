"""Mutants of what is promised: what a basket would earn, what a scheme may say, what is claimed."""

from infra.mutants.model import Mutant

TELLING = ("tests/unit/loyalty/test_loyalty_telling.py",)
CHECKING = ("tests/unit/loyalty/test_loyalty_schemes_checking.py",)
TAKING_BACK = (
    "tests/unit/loyalty/test_loyalty_taking_back.py",
    "tests/unit/loyalty/test_loyalty_what_comes_back.py",
)
CLAIMED = ("tests/integration/test_loyalty_claims.py",)
CLAIMS_KEPT = ("tests/integration/test_loyalty_claims_kept.py",)
_NEARING = "chalicelib/loyalty/nearing.py"
_WHAT_IF = "chalicelib/loyalty/what_if.py"
_REACHING = "chalicelib/loyalty/schemes/reaching.py"
_TAKING_BACK = "chalicelib/loyalty/taking_back.py"
_SERVICE = "chalicelib/loyalty/claims/service.py"

MUTANTS = (
    Mutant(
        "missing_money_is_said_without_tax",
        "of a rule that counts without tax a till is told to ask for too little",
        _NEARING,
        "    if one.rule.basis is Basis.GROSS:\n",
        "    if one.rule.basis is not None:\n",
        TELLING,
    ),
    Mutant(
        "half_to_even_is_half_up",
        "what is said to be missing makes a half, which is rounded to the even one below",
        _NEARING,
        "return ceil(half) if whole % 2 == 0 else floor(half) + 1",
        "return ceil(half)",
        TELLING,
    ),
    Mutant(
        "hint_that_earns_nothing_is_given",
        "what is said to be missing is not tried",
        _WHAT_IF,
        "        if units > 0:\n",
        "        if units >= 0:\n",
        TELLING,
    ),
    Mutant(
        "expires_as_it_becomes_active",
        "a scheme may promise points that expire in the very moment in which they become active",
        _REACHING,
        "active_at(noon, pending_days=pending, zone=scheme.zone) < ends_at",
        "active_at(noon, pending_days=pending, zone=scheme.zone) <= ends_at",
        CHECKING,
    ),
    Mutant(
        "reward_costs_a_full_card",
        "a scheme may promise a reward for as many stamps as fill a card and are gone with it",
        _REACHING,
        "if one.cost >= scheme.card.places:",
        "if one.cost > scheme.card.places:",
        CHECKING,
    ),
    Mutant(
        "streak_as_long_as_the_scheme_is_refused",
        "a streak that takes all of the scheme's days is called too long",
        _REACHING,
        "return last - first + 1 < rule.per",
        "return last - first < rule.per",
        CHECKING,
    ),
    Mutant(
        "money_given_back_counts_towards_a_tier",
        "who is given money back beyond what was returned keeps the tier that it bought",
        _TAKING_BACK,
        "return Kept(_ALL - beyond, back)",
        "return Kept(Fraction(_ALL), back)",
        TAKING_BACK,
    ),
    Mutant(
        "refund_of_part_takes_back_all",
        "money given back beside returned lines is taken of whole lines, not of their rest",
        _TAKING_BACK,
        "part += (_ALL - part) * beyond",
        "part += beyond",
        TAKING_BACK,
    ),
    Mutant(
        "code_is_good_at_any_retailer",
        "a till collects what another retailer owes",
        "chalicelib/loyalty/claims/store.py",
        'return vault.lookup_key("claim_code", retailer_id, code)',
        'return vault.lookup_key("claim_code", "", code)',
        CLAIMED,
    ),
    Mutant(
        "claim_is_of_the_newest_version",
        "what was claimed for five pounds is worth what the reward is worth since",
        "chalicelib/loyalty/claims/catalogue.py",
        "    if claim.scheme != scheme.version:\n",
        "    if claim.scheme > scheme.version:\n",
        (*CLAIMS_KEPT, *CLAIMED),
    ),
    Mutant(
        "money_has_a_code",
        "a reward in money that was given is shown with a code, as if it could be collected",
        _SERVICE,
        "shows_code = not _is_money(reward) and claim.state is ClaimState.RESERVED",
        "shows_code = _is_money(reward) or claim.state is ClaimState.RESERVED",
        CLAIMED,
    ),
    Mutant(
        "collects_without_consent",
        "the code of somebody who took the consent back at the bank is collected",
        _SERVICE,
        "or member.status is not MemberStatus.ACTIVE:",
        "or member.status is MemberStatus.LEFT:",
        (*CLAIMED, *CLAIMS_KEPT),
    ),
    Mutant(
        "claim_in_the_history_is_made_again",
        "a claim that moved to the history is reserved a second time, and paid for again",
        _SERVICE,
        "    moved = _find_moved(card, holder, (claim_id,), now=now)\n    if moved is None:\n"
        "        return None\n",
        "    moved = None\n    if moved is None:\n        return None\n",
        CLAIMED,
    ),
)
