"""Keys that change while messages wait: a hook's, a client's, the platform's own, the master's."""

import os
import secrets
from datetime import timedelta

from chalicelib.kernel.personal import Personal
from chalicelib.network.model import KeyUse, Provider
from infra import master_keys
from infra.baddays.street import Ledger, Street
from infra.new_keys import SECRET_BYTES, whsec

OVERLAP = timedelta(hours=2)


def play(street: Street, ledger: Ledger, *, size: int) -> None:
    """`size` purchases told under old keys, as many in the overlap, and as many under new ones."""
    before = street.errands(size, every=timedelta(seconds=30))
    unreceived = street.tell(before)
    street.ring_up([errand.receipt for errand in before])
    new_secret, told_secret = _rotate(street)
    street.pass_time(timedelta(minutes=3), stride=timedelta(minutes=3), works=False)

    between = street.errands(size, every=timedelta(seconds=2))
    unreceived += street.tell(between)  # The bank has not changed to its new key.
    street.ring_up([errand.receipt for errand in between])
    street.work()

    line = street.setting.lines[Provider.STANDARD]
    old, line.secret = line.secret, new_secret  # Within the overlap the bank changes to both.
    street.setting.bank.endpoint.use_secret(Provider.STANDARD.value, told_secret)
    street.pass_time(OVERLAP, stride=timedelta(minutes=30))
    after = street.errands(size, every=timedelta(seconds=30))
    unreceived += street.tell(after)
    street.ring_up([errand.receipt for errand in after])
    street.pass_time(timedelta(minutes=30), stride=timedelta(minutes=15))

    line.secret = old
    late = [e for e in after if e.payment.person.provider is Provider.STANDARD][:1]
    ledger.check("events under a key that is over, refused", street.tell(late), 1)
    line.secret = new_secret
    ledger.check("events that did not count as received", unreceived, 0)
    street.settle_accounts(ledger, [*before, *between, *after])


def _rotate(street: Street) -> tuple[str, str]:
    """Rotate every key there is; returns the standard bank's new secrets: the one that it signs
    with, and the one that it is told with.
    """
    from chalicelib.network import service as network
    from chalicelib.network.access import clients, keys
    from chalicelib.network.signing import rsa

    now = street.clock.now()
    connection_id = street.setting.connections[Provider.STANDARD].connection_id
    new_secret, told_secret = (whsec(secrets.token_bytes(SECRET_BYTES)) for _ in range(2))
    for use, value in ((KeyUse.VERIFY, new_secret), (KeyUse.SIGN, told_secret)):
        network.rotate_key(
            connection_id, use, Personal(value), old_valid_until=now + OVERLAP, now=now
        )
    login = street.setting.till_logins[street.brand.retailer_id]
    login.client_secret = secrets.token_urlsafe(32)
    hashed = clients.hash_secret(login.client_id, login.client_secret)
    clients.rotate_secret(login.client_id, hashed, old_valid_until=now + OVERLAP, now=now)
    keys.rotate_signing_key(rsa.new_private_pem, now=now)
    master_keys.rotate(os.urandom, now=now)
    return new_secret, told_secret
