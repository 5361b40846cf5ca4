"""Who takes part, as values: connections with their keys, retailers, stores and machine clients."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import ConnectionId, RetailerId, StoreId
from chalicelib.kernel.personal import Personal

PAGE_SPAN_MINUTES = 30  # How far back a reader of receipt pages looks; busy stores use less.
RECEIPTS_WITHIN_SECONDS = 30  # What a live till takes, with room for a slow network.
LATE_RECEIPTS_DAYS = 7  # What a till without a line may take: as long as anything is kept for it.


class Provider(Enum):
    """Whose format a connection speaks."""

    FLUX_V1 = "flux_v1"
    FLUX_V2 = "flux_v2"
    MONZO = "monzo"
    STARLING = "starling"
    FIDEL = "fidel"
    STANDARD = "standard"


class KeyUse(Enum):
    """What a connection's key is for."""

    VERIFY = "verify"  # proves what the provider sends us
    SIGN = "sign"  # signs what we send to the provider
    CLIENT = "client"  # our OAuth client secret at the provider
    API = "api"  # a bearer token at the provider


@dataclass(frozen=True, slots=True)
class ConnectionKey:
    """One secret or public key. Two of a use may be valid at once, so that they can be rotated.

    `valid_until` None means without end. `value` is the provider's own text form: a `whsec_`
    secret, a base64 SPKI public key, an HMAC secret.
    """

    use: KeyUse
    value: Personal[str]
    valid_until: datetime | None = None


class KeysNotFetched(RuntimeError):
    """The keys of a connection were asked for where it was read without them."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured link to a bank or provider.

    `hook` is the last part of the hook's path; for providers that do not sign (Monzo) it is long
    and random and is the secret. `registered_url` is the exact URL, query included, as it was
    registered with the provider (Fidel signs it); it is configuration and never rebuilt from a
    request. `api_url` is the provider's API base (where receipts are pushed), `told_at_url` the
    bank's own webhook for receipts. `refetch` says to fetch each transaction again before believing
    a hook. `sources` are other connections whose card tokens this bank may link to its users (a
    card-linking account that it uses). `renames` says that the bank may book a payment under
    another id than it had while it was pending, without naming that one. `notices_at_url` is where
    notices go, where that is not where receipts go; `notice_image_url` is the picture beside an
    item in a feed (Monzo wants one).
    """

    connection_id: ConnectionId
    programme: str
    provider: Provider
    name: str
    hook: str
    registered_url: str = ""
    api_url: str = ""
    auth_url: str = ""
    told_at_url: str = ""
    client_id: str = ""
    refetch: bool = False
    receipts: bool = True
    stamps: bool = True
    offers: bool = True
    told_until: datetime | None = None  # the bank answered 410 at this time; None while it listens
    keys: tuple[ConnectionKey, ...] = ()
    keys_version: str = ""  # of the secret that holds the keys; empty where there are none
    sources: tuple[ConnectionId, ...] = ()
    renames: bool = False
    notices_at_url: str = ""
    notice_image_url: str = ""

    def keys_for(self, use: KeyUse, *, now: datetime) -> tuple[str, ...]:
        """The keys of `use` that are valid at `now`, newest first, at most two by convention.

        :raises KeysNotFetched: a bug: they are in Secrets Manager (`network.with_keys`).
        """
        if self.keys_version and not self.keys:
            raise KeysNotFetched("the connection has keys, which were not fetched")
        return tuple(
            key.value.reveal()
            for key in self.keys
            if key.use is use and (key.valid_until is None or now < key.valid_until)
        )


class RetailerStatus(Enum):
    """Whether a retailer's shops give receipts now."""

    LIVE = "live"
    TEST = "test"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Retailer:
    """A brand. `channels` are `in_store` and `online`; `return_days` is its usual return period.

    Retailers of one `group` take back each other's goods and may refund in each other's names.
    `rewards` says that the retailer has, or once had, a scheme or an offer: what is bought
    there may earn something.
    """

    retailer_id: RetailerId
    name: str
    status: RetailerStatus = RetailerStatus.LIVE
    vat_number: str = ""
    website: str = ""
    channels: tuple[str, ...] = ("in_store",)
    return_days: int = 30
    group: str = ""
    rewards: bool = False


@dataclass(frozen=True, slots=True)
class Store:
    """A place where a retailer sells, with its IANA time zone.

    `page_span_minutes` bounds how much sale time one receipt page may cover, and so how far back a
    reader looks; very busy stores (web shops) set it low. `receipts_within_seconds` is how
    long after a sale its receipt may take to arrive (seconds for live tills, the interval for
    batches): until then a payment without card facts waits, as a better receipt may be on its way.
    `late_receipts_days` is how long a till that was without a line may keep them: after that a
    payment that found none ends.
    """

    store_id: StoreId
    retailer_id: RetailerId
    reference: str
    name: str
    zone: str
    address: str = ""
    postcode: str = ""
    latitude: float | None = None
    longitude: float | None = None
    phone: str = ""
    online: bool = False
    page_span_minutes: int = PAGE_SPAN_MINUTES
    receipts_within_seconds: int = RECEIPTS_WITHIN_SECONDS
    tills: tuple[str, ...] = field(default=())
    late_receipts_days: int = LATE_RECEIPTS_DAYS


class ClientKind(Enum):
    """Whose machine a client is: it sees that bank's connections or that retailer, nothing else."""

    BANK = "bank"
    RETAILER = "retailer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth 2 machine client. `subject` is the connection id or the retailer id it acts for."""

    client_id: str
    kind: ClientKind
    subject: str
    scopes: tuple[str, ...]
