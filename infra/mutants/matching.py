"""Mutants of matching: whose receipt it is, and how many receipts never come."""

from infra.mutants.model import Mutant

DECIDING = ("tests/unit/matching/test_matching_decision.py",)
TWO_SOURCES = ("tests/unit/matching/test_matching_two_sources.py",)
BATCHES = ("tests/unit/matching/test_matching_batches.py",)
KEPT_CLOCKS = ("tests/unit/matching/test_matching_kept_clocks.py",)
TIMEKEEPING = ("tests/integration/test_matching_timekeeping.py",)
BY_HABIT = ("tests/integration/test_purchases_end_by_habit.py",)
_DECISION = "chalicelib/matching/decision.py"
_KEPT = "chalicelib/matching/kept_clocks.py"
_TIMEKEEPING = "chalicelib/matching/timekeeping/keeping.py"
_WEIGHING = "chalicelib/matching/weighing.py"
_PRICES = "chalicelib/matching/prices.py"
PRICES = ("tests/unit/matching/test_matching_prices.py",)
SHELF = ("tests/unit/matching/test_matching_shelf.py",)
WEIGHING = ("tests/unit/matching/test_matching_weighing.py",)

SENT_TWICE = ("tests/unit/matching/test_matching_sent_twice.py",)
MOVED_TIMES = ("tests/integration/test_purchases_moved_times.py",)
CONTRADICTED = ("tests/integration/test_purchases_contradicted.py",)
RACING = ("tests/integration/test_purchases_changes_racing.py",)

MUTANTS = (
    Mutant(
        "sale_under_another_id_is_free",
        "what a till sent again under a second id is given to somebody else",
        _DECISION,
        "if not any(scene.is_sent_twice(pair.place, place) for place in taken)",
        "if pair not in taken",
        SENT_TWICE,
    ),
    Mutant(
        "payment_waits_when_it_was_heard_of",
        "a payment whose refund was heard first is nobody's rival when it was made",
        "chalicelib/matching/store.py",
        "_waiting_row(waiting.signals.payment_id, waiting.signals.made_at, store_id)",
        "_waiting_row(waiting.signals.payment_id, waiting.anchored_at, store_id)",
        MOVED_TIMES,
    ),
    Mutant(
        "payment_is_made_when_it_is_booked",
        "the time of a clearing takes the place of when the card was presented",
        "chalicelib/matching/payment.py",
        "return (told or self.events)[0].made_at",
        "return (told or self.events)[-1].made_at",
        MOVED_TIMES,
    ),
    Mutant(
        "cleared_sum_speaks_against_no_new_match",
        "what was cleared counts against a match that was made, and not before one is",
        _WEIGHING,
        "    if not charge.taken or (slip.auth_code and slip.auth_code == charge.auth_code):\n",
        "    if slip.receipt_id:\n",
        CONTRADICTED,
    ),
    Mutant(
        "newer_version_is_not_kept",
        "a correction that comes while the version before is joined is lost",
        "chalicelib/purchases/receiving.py",
        "own = [receipt.receipt_id] if receipt.version > 1 else []",
        "own = [receipt.receipt_id] if receipt.version > 9 else []",
        RACING,
    ),
    Mutant(
        "strangers_receipt_is_the_same_purchase",
        "a receipt that another member holds is shown as told by two sources",
        _DECISION,
        "            and hold.member_id == payment.member_id\n",
        "",
        TWO_SOURCES,
    ),
    Mutant(
        "second_purchase_by_one_bank_is_the_first",
        "of two coffees that one bank tells of the second is given the receipt of the first",
        _DECISION,
        "            and hold.connection_id != payment.connection_id\n",
        "",
        (*TWO_SOURCES, *DECIDING),
    ),
    Mutant(
        "held_receipt_goes_before_a_better_one",
        "what another source told of is the same purchase though a free receipt fits better",
        _DECISION,
        "pair.weight < max((one.weight for one in free), default=0.0)",
        "pair.weight < 1",
        TWO_SOURCES,
    ),
    Mutant(
        "later_source_tells_of_another_purchase",
        "two sources tell of one moment only where the second one says that it was later",
        _DECISION,
        "abs(payment.made_at - made_at) <= SAME_MOMENT",
        "timedelta(0) <= payment.made_at - made_at <= SAME_MOMENT",
        TWO_SOURCES,
    ),
    Mutant(
        "half_a_minute_is_too_long",
        "two sources whose times are just thirty seconds apart tell of two purchases",
        _DECISION,
        "abs(payment.made_at - made_at) <= SAME_MOMENT",
        "abs(payment.made_at - made_at) < SAME_MOMENT",
        TWO_SOURCES,
    ),
    Mutant(
        "held_receipt_explains_nothing",
        "beside the receipt that another source's payment holds a free one is sure",
        _DECISION,
        "possible = [*free, told.pair] if told else free",
        "possible = free",
        TWO_SOURCES,
    ),
    Mutant(
        "own_second_payment_is_no_rival",
        "another payment of the same member that wants the receipt, too, is not looked at",
        _DECISION,
        "rival.member_id != payment.member_id or rival.connection_id == payment.connection_id",
        "rival.member_id != payment.member_id",
        (*DECIDING, *TWO_SOURCES),
    ),
    Mutant(
        "programme_is_not_heard",
        "a programme that asks to be surer than others is given what others are",
        _DECISION,
        "    if share >= beliefs.threshold:\n",
        "    if share >= THRESHOLD:\n",
        DECIDING,
    ),
    Mutant(
        "receipts_still_coming_count_as_none",
        "a payment is sure of a receipt before its own could have come",
        _DECISION,
        "shares = shares_of(_arriving(possible, missing, come))",
        "shares = shares_of(_weights(possible))",
        DECIDING,
    ),
    Mutant(
        "what_is_held_is_matched",
        "a receipt that another payment holds is given to a second one",
        _DECISION,
        "unheld = [pair for pair in pairs if _key(scene, pair) not in held]",
        "unheld = [pair for pair in pairs if pair.weight or _key(scene, pair) not in held]",
        DECIDING,
    ),
    Mutant(
        "all_that_waits_is_absent",
        "a payment between two receipts counts as one whose receipt is missing",
        _DECISION,
        "counts = counts.plus(shares.get(pair.place, 0.0), far, away)",
        "counts = counts.plus(0.0, far, away)",
        DECIDING,
    ),
    Mutant(
        "other_card_is_weighed",
        "a receipt of another card is given where time and amount fit well",
        _WEIGHING,
        "if self._do_kinds_hold and _is_of_other_card(charge, slip, facts):",
        "if self._do_kinds_hold and not facts and _is_of_other_card(charge, slip, facts):",
        DECIDING,
    ),
    Mutant(
        "wrong_digits_veto_the_code",
        "digits that differ outweigh an auth code that agrees",
        _WEIGHING,
        'return ratio_of(f for f in facts if not f.what.startswith("digits")) < OUTWEIGHED_FROM',
        "return True",
        DECIDING,
    ),
    Mutant(
        "kinds_are_believed_while_learning",
        "files whose tills call a phone's number the card's lose what belongs together",
        _WEIGHING,
        "self._do_kinds_hold = rates.do_kinds_hold and not is_learning",
        "self._do_kinds_hold = rates.do_kinds_hold or is_learning",
        BATCHES,
    ),
    Mutant(
        "night_is_counted_twice",
        "a night whose job comes again counts what waits once more",
        _KEPT,
        "        if until <= self.until:\n",
        "        if until < self.until:\n",
        KEPT_CLOCKS,
    ),
    Mutant(
        "all_matches_count_each_night",
        "what found its receipt before the last night counts again, so few seem missing",
        _KEPT,
        "found = self.found + max(matched - self.matched, 0)",
        "found = self.found + matched",
        (*KEPT_CLOCKS, *TIMEKEEPING),
    ),
    Mutant(
        "halving_forgets_what_found_nothing",
        "where the counts are halved, what waited is halved and what is absent is not",
        _KEPT,
        "found, all_waited, all_absent = found // 2, all_waited // 2, all_absent / 2",
        "found, all_waited = found // 2, all_waited // 2",
        KEPT_CLOCKS,
    ),
    Mutant(
        "what_was_counted_is_counted_again",
        "a payment that waits for a week counts as missing every night",
        _TIMEKEEPING,
        "if after < made_at.timestamp() <= last]",
        "if made_at.timestamp() <= last]",
        TIMEKEEPING,
    ),
    Mutant(
        "young_payments_are_missing",
        "a payment whose receipt may still come counts as missing",
        _TIMEKEEPING,
        "if after < made_at.timestamp() <= last]",
        "if after < made_at.timestamp()]",
        TIMEKEEPING,
    ),
    Mutant(
        "two_processes_count_one_night",
        "what one process counted another counts on top of",
        _TIMEKEEPING,
        "    if clocks.tally.until != after:\n",
        "    if clocks.tally.until < after:\n",
        TIMEKEEPING,
    ),
    Mutant(
        "all_strangers_have_come",
        "a sum looks rare because whoever pays it has not come yet",
        _WEIGHING,
        "self._strangers(charge, store) / self._come(charge, store)",
        "self._strangers(charge, store)",
        WEIGHING,
    ),
    Mutant(
        "usual_price_is_forgotten",
        "the most usual price of a store looks rare where it stands once in an hour",
        "chalicelib/matching/shelf.py",
        "usual = max(total - 1, counted.times_of(amount) - 1, 0) + counted.again",
        "usual = max(total - 1, 0) + counted.again",
        SHELF,
    ),
    Mutant(
        "unkept_sums_were_never_seen",
        "a sum that comes back after it was dropped counts as new",
        _PRICES,
        "times[paid] = times.get(paid, self.unkept) + 1",
        "times[paid] = times.get(paid, 0) + 1",
        PRICES,
    ),
    Mutant(
        "rare_sums_push_out_usual_ones",
        "of too many sums the rarest are kept",
        _PRICES,
        "key=lambda one: (-one[1], one[0])",
        "key=lambda one: one",
        PRICES,
    ),
    Mutant(
        "missing_receipts_of_other_stores_count",
        "a payment that may be of several stores counts as missing in each",
        "chalicelib/matching/looks.py",
        "isinstance(decision, Ambiguous | NothingNear) and len(signals.stores) == 1",
        "isinstance(decision, Ambiguous | NothingNear)",
        BY_HABIT,
    ),
)
