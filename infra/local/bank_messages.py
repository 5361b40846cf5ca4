"""What each kind of bank says of a payment, in its own format.

Shapes are the vendors' public ones; see the adapters in `chalicelib/banks` for the sources. This
module is written from those formats and shares no code with the adapters, so that a misreading of
one shows.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.network.model import Provider
from infra.local.card_payments import CardPayment, Kind, Phase, Telling

Message = dict[str, Any]


def message_of(telling: Telling) -> Message:
    """The JSON that the payer's bank sends; of Flux banks, one entry of its array."""
    match telling.payment.person.provider:
        case Provider.MONZO:
            return {"type": "transaction.created", "data": monzo_transaction(telling)}
        case Provider.STARLING:
            return _starling(telling)
        case Provider.FIDEL:
            return _fidel(telling)
        case Provider.FLUX_V1:
            return _flux_v1(telling.payment)
        case Provider.FLUX_V2:
            return _flux_v2(telling.payment)
        case Provider.STANDARD:
            return _standard(telling)


def monzo_transaction(telling: Telling) -> Message:
    """A transaction as Monzo's hook and API give it, with its merchant expanded."""
    paid = telling.payment
    sign = 1 if telling.phase is Phase.REFUNDED or paid.kind is Kind.TOP_UP else -1
    amount = telling.refund_minor or paid.amount_minor
    transaction: Message = {
        "id": paid.transaction_id,
        "account_id": paid.person.account,
        "user_id": paid.person.user,
        "created": _instant(paid.made_at, "milliseconds"),
        "amount": sign * amount,
        "currency": "GBP",
        "local_amount": sign * (telling.refund_minor or paid.local_minor),
        "local_currency": paid.local_currency,
        "description": paid.shop.narrative.ljust(22)[:22] + " " + paid.local_currency[:2],
        "is_load": paid.kind is Kind.TOP_UP,
        "settled": _instant(telling.happened_at) if telling.phase is Phase.CLEARED else "",
        "scheme": "mastercard",
        "category": "shopping",
        "merchant": {
            "id": paid.shop.monzo_merchant,
            "group_id": paid.shop.monzo_group,
            "name": paid.shop.name,
            "category": "shopping",
        },
        "counterparty": {},
        "metadata": {"mastercard_card_id": f"mccard_{paid.person.number:03d}", "mcc": "5812"},
    }
    if paid.kind is Kind.DECLINED:
        transaction["decline_reason"] = "INSUFFICIENT_FUNDS"
    if paid.kind is Kind.PEER:
        peer = {"user_id": "user_peer_001", "name": "A friend"}
        transaction |= {"scheme": "p2p_payment", "merchant": None, "counterparty": peer}
    return transaction


def starling_feed_item(telling: Telling) -> Message:
    """A feed item as Starling's hook and API give it."""
    paid = telling.payment
    statuses = {Phase.AUTHORISED: "PENDING", Phase.CLEARED: "SETTLED", Phase.REFUNDED: "SETTLED"}
    declined = paid.kind is Kind.DECLINED
    item: Message = {
        "feedItemUid": paid.transaction_id,
        "categoryUid": paid.person.category,
        "accountUid": paid.person.account,
        "amount": {"currency": "GBP", "minorUnits": telling.refund_minor or paid.amount_minor},
        "sourceAmount": {"currency": paid.local_currency, "minorUnits": paid.local_minor},
        "direction": "IN" if telling.phase is Phase.REFUNDED else "OUT",
        "updatedAt": _instant(telling.happened_at, "milliseconds"),
        "transactionTime": _instant(paid.made_at, "milliseconds"),
        "source": "FASTER_PAYMENTS_OUT" if paid.kind is Kind.PEER else "MASTER_CARD",
        "sourceSubType": "APPLE_PAY" if paid.by_phone else "CONTACTLESS",
        "status": "DECLINED" if declined else statuses[telling.phase],
        "counterPartyType": "MERCHANT",
        "counterPartyUid": paid.shop.starling_uid,
        "counterPartyName": paid.shop.name,
        "reference": paid.shop.narrative,
        "country": "GB",
        "spendingCategory": "SHOPPING",
        "masterCardFeedDetails": {
            "merchantIdentifier": paid.shop.mid,
            "mcc": 5812,
            "authorisationCode": paid.auth_code,
            "cardLast4": paid.person.card_digits,
        },
    }
    if telling.phase is Phase.CLEARED:
        item["settlementTime"] = _instant(telling.happened_at, "milliseconds")
    return item


def _starling(telling: Telling) -> Message:
    return {
        "webhookEventUid": telling.message_id,
        "webhookType": "FEED_ITEM",
        "eventTimestamp": _instant(telling.happened_at, "milliseconds"),
        "accountHolderUid": telling.payment.person.user,
        "content": starling_feed_item(telling),
    }


def _fidel(telling: Telling) -> Message:
    paid = telling.payment
    refunded = telling.phase is Phase.REFUNDED
    local = paid.made_at.astimezone(ZoneInfo(paid.shop.zone)).replace(tzinfo=None)
    message: Message = {
        "id": f"{paid.transaction_id}-refund" if refunded else paid.transaction_id,
        "programId": "e5f6a7b8-0000-4000-8000-000000000001",
        "amount": (-telling.refund_minor if refunded else paid.amount_minor) / 100,
        "currency": "GBP",
        "auth": telling.phase is Phase.AUTHORISED,
        "cleared": telling.phase is Phase.CLEARED,
        "created": _instant(telling.happened_at, "milliseconds"),
        "updated": _instant(telling.happened_at, "milliseconds"),
        "datetime": local.isoformat(timespec="seconds"),
        "card": {
            "id": paid.person.card_token,
            "lastNumbers": paid.person.card_digits,
            "scheme": paid.person.scheme,
        },
        "identifiers": {
            "MID": paid.shop.mid,
            "visaAuthCode": paid.auth_code,
            "mastercardAuthCode": None,
            "amexApprovalCode": None,
        },
        "location": {"id": paid.shop.fidel_location, "timezone": paid.shop.zone},
        "wallet": None,
    }
    if refunded:
        message["originalTransactionId"] = paid.transaction_id
    return message


def _flux_v1(paid: CardPayment) -> Message:
    return {
        "id": paid.transaction_id,
        "userId": paid.person.user,
        "accountId": paid.person.account,
        "merchantId": paid.shop.mid,
        "merchantName": paid.shop.name,
        "narratives": [paid.shop.narrative],
        "terminalId": paid.shop.tid,
        "transactionDate": _instant(paid.made_at),
        "amount": paid.amount_minor,
        "currency": "GBP",
        "authCode": paid.auth_code,
        "card": {"scheme": paid.person.scheme.upper(), "lastFour": paid.person.card_digits},
    }


def _flux_v2(paid: CardPayment) -> Message:
    return {
        "bankTransactionId": paid.transaction_id,
        "accountId": paid.person.account,
        "transactionDate": _instant(paid.made_at),
        # Flux's own tool sent text here.
        "amount": {"amount": str(paid.amount_minor), "currency": "GBP"},
        "card": {
            "authCode": paid.auth_code,
            "lastFour": paid.person.card_digits,
            "scheme": paid.person.scheme,
        },
        "merchant": {"transactionNarrative": paid.shop.narrative},
    }


def _standard(telling: Telling) -> Message:
    paid = telling.payment
    refunded = telling.phase is Phase.REFUNDED
    told: Message = {
        "id": f"{paid.transaction_id}-refund" if refunded else paid.transaction_id,
        "account": paid.person.account,
        "user": paid.person.user,
        "made_at": _instant(paid.made_at),
        "amount": {"minor": telling.refund_minor or paid.amount_minor, "currency": "GBP"},
        "merchant": {"mid": paid.shop.mid, "narrative": paid.shop.narrative},
        "card": {
            "token": paid.person.card_token,
            "last_four": paid.person.device_digits if paid.by_phone else paid.person.card_digits,
            "last_four_kind": "device" if paid.by_phone else "card",
            "scheme": paid.person.scheme,
            "auth_code": paid.auth_code,
        },
    }
    if paid.local_currency != "GBP" and not refunded:
        told["local_amount"] = {"minor": paid.local_minor, "currency": paid.local_currency}
    if refunded:
        told["refers_to"] = paid.transaction_id
    return {
        "type": f"payment.{telling.phase.value}",
        "timestamp": _instant(telling.happened_at),
        "data": told,
    }


def _instant(at: datetime, timespec: str = "seconds") -> str:
    return at.isoformat(timespec=timespec).replace("+00:00", "Z")
