"""Mutants of what banks and rails tell: whose word counts, of which payment, and how often."""

from infra.mutants.model import SENDING, Mutant

ISO20022 = ("tests/unit/payouts/test_payouts_iso20022.py",)
COMPARING = ("tests/unit/payouts/test_payouts_comparing.py",)
TOLD = ("tests/journeys/test_payouts_told.py",)
ACKNOWLEDGED = ("tests/journeys/test_payouts_acknowledged.py",)
OPERATING = ("tests/journeys/test_payouts_operating.py",)
DEBITED = ("tests/journeys/test_payouts_files_debited.py",)
ENDED = ("tests/journeys/test_payouts_differences_ended.py",)
RAIL_CHANGED = ("tests/journeys/test_payouts_rail_changed.py",)
LEAVING = ("tests/integration/test_payouts_leaving.py",)
PRIVATE_KEYS = ("tests/integration/test_payouts_private_keys.py",)
CLOSING = ("tests/integration/test_payouts_closing.py",)
_HEARING = "chalicelib/payouts/hearing.py"
_SPREADING = "chalicelib/payouts/spreading.py"
_SENDING = "chalicelib/payouts/sending.py"
_REPORTS = "chalicelib/payouts/rails/iso_reports.py"
_COMPARING = "chalicelib/payouts/reconciling/comparing.py"
_RECONCILING = "chalicelib/payouts/reconciling/service.py"

MUTANTS = (
    Mutant(
        "any_bank_acknowledges",
        "a bank says what became of a payout that another bank was asked to make",
        _HEARING,
        "is_asked = instruction.connection_id == connection_id and",
        "is_asked = bool(connection_id) and",
        TOLD,
    ),
    Mutant(
        "hook_of_another_connection_is_believed",
        "a webhook of one bank's account ends the payout of another bank's member",
        _HEARING,
        "        (report.connection, instruction.connection_id),\n",
        "",
        TOLD,
    ),
    Mutant(
        "acknowledged_before_it_was_ordered",
        "a bank says that money left before anybody had ordered it",
        _HEARING,
        "if report.at < instruction.written_at - CLOCKS_DIFFER_BY:",
        "if report.at < instruction.written_at - 24 * 60 * CLOCKS_DIFFER_BY:",
        ACKNOWLEDGED,
    ),
    Mutant(
        "another_word_of_one_name_is_believed",
        "a teller says under one name first that money left, and then that it did not",
        _HEARING,
        '    if _was_said_otherwise(report, heard):\n        raise OtherWord("the report said',
        '    if report.event_id in heard:\n        raise OtherWord("the report said',
        ACKNOWLEDGED,
    ),
    Mutant(
        "contradiction_is_believed_unasked",
        "a webhook says that what failed was executed, and the rail is not asked",
        _HEARING,
        "            return isinstance(outcome, Executed | Returned)\n",
        "            return False\n",
        TOLD,
    ),
    Mutant(
        "amount_of_another_currency_agrees",
        "a report of as many cents is one of the pence that were ordered",
        _HEARING,
        "if reported.amount not in (None, instruction.amount):",
        "if reported.amount and reported.amount.minor != instruction.amount.minor:",
        OPERATING,
    ),
    Mutant(
        "second_payment_that_comes_back_is_the_first",
        "of a payment that left twice one comes back, and the member is given it beside the other",
        _HEARING,
        "if isinstance(reported.outcome, Returned) and reconciling.is_paid_still(",
        "if isinstance(reported.outcome, Executed) and reconciling.is_paid_still(",
        DEBITED,
    ),
    Mutant(
        "debit_pays_what_was_refused",
        "a debit of a whole file has to be the sum of what the bank had refused, too",
        _SPREADING,
        ".state is not PayoutState.FAILED",
        ".state is not PayoutState.RETURNED",
        DEBITED,
    ),
    Mutant(
        "debit_of_more_than_its_file_pays_it",
        "a debit of more than the sum of a file is taken for the debit of the file",
        _SPREADING,
        "if may_be and debited == _sum(may_be):",
        "if may_be and debited is not None and debited.minor >= _sum(may_be).minor:",
        DEBITED,
    ),
    Mutant(
        "refused_file_fails_what_was_taken",
        "a refused file fails the payment of which the same report says that it was taken",
        _SPREADING,
        " if payout_id not in line.named]",
        "]",
        DEBITED,
    ),
    Mutant(
        "pending_entries_count",
        "what a bank only means to book is believed to have left",
        _REPORTS,
        'if status == "BOOK":',
        'if status in ("BOOK", "PDNG"):',
        ISO20022,
    ),
    Mutant(
        "credit_is_a_payment",
        "money that came back without a word of its return is one more payment",
        _REPORTS,
        '        case "CRDT":\n',
        '        case "CRDT" if details.find("RtrInf") is None:\n'
        "            return Executed(payout_id, at)\n"
        '        case "CRDT":\n',
        ISO20022,
    ),
    Mutant(
        "entry_is_known_by_its_message",
        "a debit that two notices tell of is two, whatever reference the bank gives it",
        _REPORTS,
        "booking=booking if line.booking else report_id)",
        "booking=report_id)",
        (*ISO20022, *DEBITED),
    ),
    Mutant(
        "second_debit_of_one_reference_is_the_first",
        "two debits of one notice that share a reference are one",
        _REPORTS,
        "booking=booking if line.booking else report_id)",
        "booking=line.booking or report_id)",
        (*ISO20022, *DEBITED),
    ),
    Mutant(
        "debit_told_twice_is_two",
        "each report of one entry of the bank counts as another payment",
        _COMPARING,
        "booked = {(type(one.outcome), one.booking) for one in reports if one.booking}",
        "booked = [(type(one.outcome), one.booking) for one in reports if one.booking]",
        (*COMPARING, *DEBITED),
    ),
    Mutant(
        "returned_payout_may_have_left_once_more",
        "money that left again after it came back, and is with the member twice, is not listed",
        _COMPARING,
        "if left > (PayoutState.RETURNED not in payout.path):",
        "if left > 1:",
        COMPARING,
    ),
    Mutant(
        "ended_difference_is_silent_for_ever",
        "a difference that a person ended is not listed again, whatever is reported since",
        _RECONCILING,
        "return settled is not None and one.reports <= settled.difference.reports",
        "return settled is not None",
        ENDED,
    ),
    Mutant(
        "open_payout_is_ended_unsettled",
        "a person ends the difference of a payout of which nobody says what became",
        _RECONCILING,
        "in (Differs.DISPUTED, Differs.NOT_SETTLED):",
        "in (Differs.DISPUTED,):",
        ENDED,
    ),
    Mutant(
        "looked_up_at_the_rail_of_now",
        "a payout that one rail has is asked for at the rail that pays since",
        _SENDING,
        "    if instruction.state is PayoutState.WRITTEN:\n        return paying.find_account(",
        "    if instruction.state is not PayoutState.FAILED:\n        return paying.find_account(",
        RAIL_CHANGED,
    ),
    Mutant(
        "account_of_another_currency_is_paid",
        "euros are sent to an account that takes pounds",
        _SENDING,
        "return to is None or to.takes(amount.currency)",
        "return to is None or bool(amount.currency)",
        CLOSING,
    ),
    Mutant(
        "order_does_not_wait_for_a_new_account",
        "an order that was written before is paid at once to an account that was just named",
        _SENDING,
        "    if held is not None and now < held.usable_from:\n",
        "    if held is not None and held.usable_from < now:\n",
        SENDING,
    ),
    Mutant(
        "name_is_kept_for_any_bank",
        "what a bank calls a leaver is put aside where another bank pays",
        "chalicelib/payouts/leavers/service.py",
        "one.rail is Rail.BANK and one.connection_id == member.connection_id",
        "one.rail is Rail.BANK",
        LEAVING,
    ),
    Mutant(
        "newest_private_key_is_dropped",
        "where there are too many keys of envelopes, the one that closes them now is forgotten",
        "chalicelib/payouts/private_keys/store.py",
        "(*kept, new)[-keys_max:]",
        "(*kept, new)[:keys_max]",
        PRIVATE_KEYS,
    ),
    Mutant(
        "hook_names_its_own_keys",
        "a webhook is believed by whatever keys it says that it was signed with",
        "chalicelib/payouts/rails/tl_hooks.py",
        "if not keys_url or tl_signature.read_head(signature).jku != keys_url:",
        "keys_url = tl_signature.read_head(signature).jku\n    if not keys_url:",
        TOLD,
    ),
)
