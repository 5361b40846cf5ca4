"""Mutants of what changes receipts: corrections, voids and returns, however early or late."""

from infra.mutants.model import Mutant

VOID_RETURNS = ("tests/integration/test_purchases_changes_void_returns.py",)
SHARED = ("tests/integration/test_purchases_changes_shared.py",)
TWO_SOURCES = ("tests/integration/test_purchases_changes_two_sources.py",)
CODES = ("tests/integration/test_purchases_changes_codes.py",)
LEFT_BEHIND = ("tests/integration/test_purchases_changes_left_behind.py",)
REFUNDS = ("tests/integration/test_refunds_finding.py",)
_CHANGING = "chalicelib/purchases/changing.py"

MUTANTS = (
    Mutant(
        "return_leads_no_void_back",
        "who voids a return finds the sale no more once the pages are gone",
        _CHANGING,
        "returned = [one for one in changed.returns if one not in purchase.returns]",
        "returned = [one for one in changed.returns if one in purchase.returns]",
        VOID_RETURNS,
    ),
    Mutant(
        "early_return_leads_no_void_back",
        "a return that came before its sale was joined cannot be voided a week later",
        "chalicelib/purchases/settling.py",
        "codes.lead_back(purchase.returns, sale.receipt_id, now=now)",
        "codes.lead_back((), sale.receipt_id, now=now)",
        VOID_RETURNS,
    ),
    Mutant(
        "void_hides_its_return_unread",
        "a void on the page of an unclaimed return says nowhere which sale that was of",
        "chalicelib/purchases/receiving.py",
        "            for sale_id in sales_named(voided.retailer_id, code, now=now):\n",
        "            for sale_id in ():\n",
        VOID_RETURNS,
    ),
    Mutant(
        "one_part_holds_the_sale",
        "who pays another part of a bill later never hears what changed it before",
        _CHANGING,
        "is_held &= 0 < max(parts, default=0) <= sum(1 for count in parts if count)",
        "is_held &= 0 < max(parts, default=0)",
        SHARED,
    ),
    Mutant(
        "changed_sales_stay_off_pages",
        "an exchange that was applied at once is nobody's receipt when it is paid for",
        "chalicelib/purchases/receiving.py",
        "to_gather=tuple(one for one in receipts if one not in refused))",
        "to_gather=())",
        (*SHARED, "tests/integration/test_purchases_changes.py"),
    ),
    Mutant(
        "second_source_hears_no_change",
        "of two sources of one payment only the first shows what came back",
        _CHANGING,
        "        if one.same_as == holder.payment.payment_id:\n",
        "        if one.same_as == one.payment.payment_id:\n",
        TWO_SOURCES,
    ),
    Mutant(
        "second_source_begins_without_returns",
        "what came back before a second source told of the payment is not shown there",
        "chalicelib/purchases/catching_up.py",
        "    if shared == purchase:\n",
        "    if shared.payment == purchase.payment:\n",
        ("tests/integration/test_purchases_changes_second_source.py",),
    ),
    Mutant(
        "corrected_code_names_nothing",
        "a return by the code that a correction printed finds no sale",
        _CHANGING,
        "    codes.record_codes(receipt, now=now)  # Before returns are read",
        "    codes.record_codes(before, now=now)  # Before returns are read",
        CODES,
    ),
    Mutant(
        "claim_left_behind_leads_to_a_stranger",
        "what a crash left claimed brings a stranger's return into a member's purchase",
        _CHANGING,
        "if purchase is not None and sale is not None and _holds(purchase, claim.receipt_id):",
        "if purchase is not None and sale is not None:",
        LEFT_BEHIND,
    ),
    Mutant(
        "voided_unnamed_return_still_explains",
        "a refund is explained by goods whose return was void or of another amount",
        "chalicelib/purchases/refunding/store.py",
        "[one for one in newest.values() if key in _keys_of(one)]",
        "list(newest.values())",
        REFUNDS,
    ),
)
