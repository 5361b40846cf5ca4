"""Mutants of what follows at night and is told: netting, reconciling, notices, inquiries."""

from infra.mutants.model import Mutant

NETTING = ("tests/unit/payouts/test_payouts_netting.py",)
NIGHTS = ("tests/integration/test_payouts_nights.py",)
CLOSING = ("tests/integration/test_payouts_closing.py",)
RECONCILING = ("tests/integration/test_payouts_reconciling.py",)
COMPARING = ("tests/unit/payouts/test_payouts_comparing.py",)
AWARDING = ("tests/integration/test_offers_awarding.py",)
VERSIONS = ("tests/unit/loyalty/test_loyalty_card_versions.py",)
NOTICES = ("tests/integration/test_notices_sending.py",)
INQUIRIES = ("tests/unit/rewards/test_rewards_inquiries.py",)
INQUIRED = ("tests/integration/test_rewards_inquiries_flow.py",)
_DECIDING = "chalicelib/payouts/netting/deciding.py"
_NETTING = "chalicelib/payouts/netting/service.py"
_COMPARING = "chalicelib/payouts/reconciling/comparing.py"
_RECONCILING = "chalicelib/payouts/reconciling/service.py"
_APPLYING = "chalicelib/loyalty/cards/applying.py"
_PAYING = "chalicelib/offers/paying.py"
_SENDING = "chalicelib/notices/sending.py"
_LOG = "chalicelib/notices/log/store.py"
_MODEL = "chalicelib/rewards/inquiries/model.py"
_SERVICE = "chalicelib/rewards/inquiries/service.py"

MUTANTS = (
    Mutant(
        "debts_are_never_given_up",
        "a debt is set off for ever",
        _DECIDING,
        "now.date() - owes_since >= debts_kept",
        "now.date() - owes_since > debts_kept + debts_kept",
        NETTING,
    ),
    Mutant(
        "minimum_itself_waits",
        "exactly the minimum is not paid",
        _DECIDING,
        "if available_minor < payee.minor_min:",
        "if available_minor <= payee.minor_min:",
        NETTING,
    ),
    Mutant(
        "suspended_member_is_paid",
        "somebody who took the consent back at the bank is paid",
        _DECIDING,
        "    if payee.is_suspended:\n        return Wait(Why.SUSPENDED)\n",
        "",
        NETTING,
    ),
    Mutant(
        "new_account_is_paid_the_same_night",
        "an account that was just named, perhaps by a thief, is paid at once",
        _DECIDING,
        "payee.destination_from is not None and payee.destination_from > now:",
        "payee.destination_from is not None and payee.destination_at is None:",
        (*NETTING, *CLOSING),
    ),
    Mutant(
        "refused_account_is_tried_every_night",
        "money that came back is sent again the next night",
        _DECIDING,
        "return None if has_changed or is_long_ago else Why.DESTINATION_REFUSED",
        "return None if payee.destination_at or is_long_ago else Why.DESTINATION_REFUSED",
        (*NETTING, *CLOSING),
    ),
    Mutant(
        "leavers_small_change_is_kept",
        "whoever leaves is not paid what is below the minimum",
        _NETTING,
        "minor_min=1 if has_left else programme.payout_minimum(currency),",
        "minor_min=programme.payout_minimum(currency),",
        CLOSING,
    ),
    Mutant(
        "dead_run_is_not_finished",
        "money that was set aside by a run that died stays there",
        _NETTING,
        "if balances.in_payment and (begun",
        "if not balances.in_payment and (begun",
        (*CLOSING, *RECONCILING),
    ),
    Mutant(
        "failed_payout_is_ordered_again",
        "what failed and went back is taken for set aside, and ordered a second time",
        _NETTING,
        "    if moving.payout_key(payout_id, EntryKind.PAYOUT_FAILED) in by_key:\n"
        "        return None\n",
        "",
        NIGHTS,
    ),
    Mutant(
        "failures_are_not_in_a_row",
        "payments that went in between do not start the count of failures anew",
        _NETTING,
        "EntryKind.PAYOUT_SETTLED:\n                refused_at, failures = None, 0",
        "EntryKind.PAYOUT_SETTLED:\n                refused_at = None",
        NIGHTS,
    ),
    Mutant(
        "debt_counts_from_today",
        "each night the debt begins anew, so it is never old enough to be given up",
        _NETTING,
        "since = unpaid.since if unpaid and unpaid.why is why else on",
        "since = on",
        NIGHTS,
    ),
    Mutant(
        "order_before_the_queue_is_forgotten",
        "an order is written, and nobody is told to send it",
        _NETTING,
        "now=now)\n    queues.send(queues.PAYOUTS, [encode(SendPayoutMessage(payout_id))])",
        "now=now)",
        CLOSING,
    ),
    Mutant(
        "other_amount_agrees",
        "a rail that reports another amount agrees with the order",
        _COMPARING,
        "report.amount not in (None, payout.amount) for report in reports",
        "report.amount is None for report in reports",
        RECONCILING,
    ),
    Mutant(
        "report_of_a_return_agrees",
        "a payment that the bank says came back agrees with one that did not",
        _COMPARING,
        "return PayoutState.RETURNED in payout.path",
        "return PayoutState.EXECUTED in payout.path",
        RECONCILING,
    ),
    Mutant(
        "silence_is_never_overdue",
        "of a payout whose answer never came nobody is told",
        _COMPARING,
        "is_open = payout.state in (PayoutState.WRITTEN, PayoutState.SENT, PayoutState.UNKNOWN)",
        "is_open = payout.state in (PayoutState.WRITTEN, PayoutState.SENT)",
        COMPARING,
    ),
    Mutant(
        "missing_report_is_fine",
        "what a bank does not acknowledge is not listed",
        _COMPARING,
        "    if payout.rail not in REPORTING_RAILS or PayoutState.EXECUTED not in payout.path:",
        "    if payout.rail in REPORTING_RAILS or PayoutState.EXECUTED not in payout.path:",
        RECONCILING,
    ),
    Mutant(
        "amounts_of_orders_are_not_compared",
        "an order of more than was set aside agrees with the journal",
        _RECONCILING,
        "elif (order.amount.minor, order.amount.currency) != (one.minor, one.currency):",
        "elif order.amount.currency != one.currency:",
        RECONCILING,
    ),
    Mutant(
        "lost_order_is_not_written_again",
        "money that was set aside without an order stays there",
        _RECONCILING,
        "    netting.order(begun, one.member_id, one.payout_id, now=now)\n    mended",
        "    mended",
        RECONCILING,
    ),
    Mutant(
        "differences_end_without_agreeing",
        "what is open ends with the next night",
        _RECONCILING,
        "if _is_there(one.difference, now=now):",
        "if one.difference.kind is Differs.UNKNOWN_PAYOUT:",
        RECONCILING,
    ),
    Mutant(
        "repeat_is_told_again",
        "what was announced twice in one batch is told twice",
        _SENDING,
        "once = {one.notice_id: one for one in announced}",
        "once = {str(place): one for place, one in enumerate(announced)}",
        NOTICES,
    ),
    Mutant(
        "first_change_is_forgotten",
        "after some changes the first is no longer told as what the purchase earned",
        _APPLYING,
        "earlier[:1] + earlier[1:][1 - EARLIER_MAX :]",
        "earlier[-EARLIER_MAX:]",
        VERSIONS,
    ),
    Mutant(
        "emptied_card_says_the_newest_reason",
        "a full card that a return emptied is said to be emptied by what came after",
        _APPLYING,
        "if fill.undone_by == payment_id and not fill.undone_why",
        "if fill.undone_by == payment_id",
        VERSIONS,
    ),
    Mutant(
        "earlier_returns_are_said_withdrawn",
        "what a return took back of an offer is told again as withdrawn",
        _PAYING,
        "reason = _last_reason(gift) if is_last else RETURNED",
        "reason = _last_reason(gift)",
        AWARDING,
    ),
    Mutant(
        "feed_item_put_twice",
        "an item that was tried before is put into the feed again",
        _LOG,
        "free = ToldRow.pk.does_not_exist() | (ToldRow.expires_at <= rows.epoch(now))",
        "free = ToldRow.pk.does_not_exist() | ToldRow.pk.exists()",
        NOTICES,
    ),
    Mutant(
        "unsure_item_is_tried_again",
        "an item that may be in the feed is put once more",
        _SENDING,
        "    except MayBeShown:\n"
        "        return observability.count("
        '"notices_unsure", provider=connection.provider.value)\n',
        "    except MayBeShown:\n"
        "        store.forget_try(member.member_id, announcement.notice_id)\n"
        '        raise TryAgain("it may not be there") from None\n',
        NOTICES,
    ),
    Mutant(
        "told_before_it_is_logged",
        "the bank is told, and its log has nothing to replay",
        _SENDING,
        "        store.record_page(connection_id, page)\n",
        "",
        NOTICES,
    ),
    Mutant(
        "page_is_told_from_its_start",
        "what is told later from a page begins with what the bank has taken",
        _SENDING,
        "wanted = range(len(page.notices)) if message.left is None else message.left",
        "wanted = range(len(page.notices))",
        NOTICES,
    ),
    Mutant(
        "read_moves_back",
        "an older cursor of the member's inbox undoes a newer one",
        _LOG,
        "further = ReadRow.pk.does_not_exist() | (ReadRow.through < row.through)",
        "further = ReadRow.pk.does_not_exist() | ReadRow.pk.exists()",
        ("tests/journeys/test_notices_inbox.py",),
    ),
    Mutant(
        "held_award_ends_an_inquiry",
        "stamps that a person has yet to look at are granted",
        _MODEL,
        "if situation.has_earned and not situation.is_held:",
        "if situation.has_earned:",
        INQUIRIES,
    ),
    Mutant(
        "ended_inquiry_is_decided_again",
        "what was refused is granted by a later look",
        _MODEL,
        "state is InquiryState.RESOLVED:\n        return inquiry\n    if situation is None",
        "state is None:\n        return inquiry\n    if situation is None",
        INQUIRIES,
    ),
    Mutant(
        "late_receipt_is_refused",
        "a receipt that may still come by itself is refused with those that need the paper",
        _MODEL,
        "if step is Step.PAPER and now >= inquiry.opened_at + PAPER_WITHIN:",
        "if now >= inquiry.opened_at + PAPER_WITHIN:",
        INQUIRIES,
    ),
    Mutant(
        "inquiries_are_not_counted",
        "a member may ask any number of times a day",
        _SERVICE,
        "    _count(member_id, payment_id, now=now)\n    inquiry",
        "    inquiry",
        INQUIRED,
    ),
    Mutant(
        "inquiry_changes_nothing",
        "what is said to be missing is not settled anew",
        _SERVICE,
        "        settle_anew(own.where, now=now)\n    return",
        "    return",
        INQUIRED,
    ),
    Mutant(
        "inquiry_forgotten_before_it_is_told",
        "a run that dies between deciding and telling leaves the member without an answer",
        _SERVICE,
        "    announce([told])\n    store.forget_open(still)",
        "    store.forget_open(still)\n    announce([told])",
        INQUIRED,
    ),
)
