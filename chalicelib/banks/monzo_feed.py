"""Monzo: a notice as an item in the member's feed, `POST /feed` with the member's own token.

Source: monzo/docs, `source/includes/_feed_items.md`: form-encoded `account_id`, `type=basic`,
`url`, and `params[title]` and `params[image_url]`, both required, and `params[body]`. The answer is
`{}`: no id. There is no idempotency key, and items can be neither listed nor taken back. So whoever
calls has to know beforehand that it was not called (`notices/once`), and learns here whether a
failure may have left an item behind.
"""

from datetime import datetime
from urllib.parse import urlencode

from chalicelib.banks import http
from chalicelib.banks.monzo_oauth import FORM
from chalicelib.banks.monzo_receipts import NoAccessToken
from chalicelib.banks.noticing import BankNotice
from chalicelib.kernel.refusals import NotAllowed, TryAgain
from chalicelib.network.model import Connection

PATH = "/feed"
# Statuses that say that nothing was done. Any other 5xx may come from a proxy that gave up waiting.
_NOTHING_DONE = frozenset({408, 425, 429, 503})


class NoAccount(NotAllowed):
    """The member has no account at the bank that a feed item could be put on."""

    code = "no_account"


class MayBeShown(TryAgain):
    """The item may stand in the feed, or not: nobody can tell, so it is not sent again."""

    code = "may_be_shown"


def tell(notice: BankNotice, connection: Connection, *, now: datetime) -> None:
    """Put the item into the feed.

    :raises MayBeShown: no answer, or one that does not say whether it was done.
    :raises AccessRefused: the token is not accepted; refresh it once and call again.
    :raises NoAccessToken: there is none. :raises NoAccount: no account of the member is known.
    :raises BankRefused: any other lasting refusal. :raises EndpointGone: 410.
    :raises TryAgain: not now, and nothing was done.
    """
    if notice.access_token is None:
        raise NoAccessToken("the member's token at the bank is not there")
    if notice.account_ref is None:
        raise NoAccount("no account of the member at the bank is known")
    form = {
        "account_id": notice.account_ref,
        "type": "basic",
        "params[title]": notice.title,
        "params[body]": notice.text,
        "params[image_url]": connection.notice_image_url,
    }
    headers = {
        "Authorization": f"Bearer {notice.access_token.reveal()}",
        "Content-Type": FORM,
    }
    try:
        reply = http.call(
            "POST", connection.api_url + PATH, headers=headers, body=urlencode(form).encode()
        )
    except http.NoAnswer as error:
        raise MayBeShown("the bank did not answer") from error
    if reply.status >= 500 and reply.status not in _NOTHING_DONE:
        raise MayBeShown(f"the bank answered {reply.status}")
    http.accept(reply, now=now, token_is_members=True)
