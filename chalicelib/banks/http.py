"""The only way out: one HTTP request to a bank, bounded in time and size, to a public address.

The name is resolved here and the connection goes to the address that was checked, so that a name
cannot point elsewhere a moment later (DNS rebinding). TLS still proves the name. Redirects are not
followed and proxies of the environment are not used. Local stacks and tests may allow private
addresses, and then plain HTTP too.
"""

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError

from chalicelib.banks.telling import BankRefused, EndpointGone
from chalicelib.kernel.refusals import Rejected, TryAgain
from chalicelib.runtime import settings

CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 15  # Standard Webhooks asks senders to wait 15 to 30 seconds.
ANSWER_BYTES_MAX = 262_144  # A fetched transaction is a few kilobytes.
ADDRESSES_TRIED_MAX = 3
RETRY_AFTER_SECONDS_MAX = 86_400  # Deliveries are tried for days; no bank parks one for longer.
USER_AGENT = "Counterfoil/1"

_PASSING_STATUSES = {408, 425, 429}
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class UnsafeDestination(Rejected):
    """The URL is not HTTPS to a public host, so nothing was sent."""

    code = "unsafe_destination"


class AccessRefused(Rejected):
    """The bank does not accept the member's token. Refresh it once and call again."""

    code = "access_refused"


class NoAnswer(TryAgain):
    """The request went out, or may have, and no answer came: what became of it is not known."""

    code = "no_answer"


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Reply:
    """Make one request and read the whole answer, whatever its status.

    :raises UnsafeDestination: not HTTPS, or an address that is not public.
    :raises NoAnswer: no answer in time, or one over 256 KiB. :raises TryAgain: no connection.
    """
    parts = check_url(url)
    sent = {
        "Host": parts.netloc,
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        **(headers or {}),
    }
    target = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
    addresses = _addresses(parts)
    for last, address in [(at == len(addresses) - 1, one) for at, one in enumerate(addresses)]:
        try:
            return _request(_pool(parts, address), method, target, headers=sent, body=body)
        except NewConnectionError as error:
            if last:
                raise TryAgain("the bank's host refuses connections") from error
        except HTTPError as error:
            raise NoAnswer("the bank did not answer") from error
    raise TryAgain("the bank's host has no address")


def accept(reply: Reply, *, now: datetime, token_is_members: bool = False) -> Reply:
    """`reply` where it is a success (2xx); otherwise the ending it means for a delivery.

    `token_is_members` says that the request carried a member's token, which a refresh may mend.

    :raises TryAgain: 408, 425, 429, 3xx and 5xx, no sooner than `Retry-After` where it is given.
    :raises EndpointGone: 410. :raises AccessRefused: 401 to a member's token.
    :raises BankRefused: any other 4xx.
    """
    status = reply.status
    if 200 <= status < 300:
        return reply
    if status == 410:
        raise EndpointGone("the bank's endpoint is gone")
    if status == 401 and token_is_members:
        raise AccessRefused("the bank does not accept the token")
    if 400 <= status < 500 and status not in _PASSING_STATUSES:
        raise BankRefused(f"the bank answered {status}")
    raise TryAgain(
        f"the bank answered {status}",
        after_seconds=parse_retry_after(reply.headers.get("retry-after", ""), now=now),
    )


def parse_retry_after(text: str, *, now: datetime) -> int | None:
    """Seconds to wait by a `Retry-After` header (RFC 9110 §10.2.3: seconds or an HTTP date)."""
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return min(int(text), RETRY_AFTER_SECONDS_MAX)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:  # RFC 5322 "-0000": UTC without knowing more
        until = until.replace(tzinfo=UTC)
    seconds = int((until - now).total_seconds())
    return min(max(seconds, 0), RETRY_AFTER_SECONDS_MAX)


def is_public(address: Address) -> bool:
    """Whether `address` is on the public internet, also where it wraps an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:  # early patch releases of 3.11 judge the wrapper
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None or address.teredo is not None or address in _NAT64:
            return False
    return address.is_global and not address.is_multicast


def check_url(url: str) -> SplitResult:
    """The parts of `url`, which is one that may be called; no host is looked up.

    :raises UnsafeDestination: it is not HTTPS to a host that is plainly named.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UnsafeDestination("the URL does not parse") from error
    private = settings.private_hosts_allowed()
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise UnsafeDestination("the URL is not HTTPS")
    if not parts.hostname or "@" in parts.netloc or not url.isascii() or not url.isprintable():
        raise UnsafeDestination("the URL has no plain host")
    return parts


def _addresses(parts: SplitResult) -> list[str]:
    """The host's addresses, every one of them checked."""
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise UnsafeDestination("the URL's port is not a port") from error
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TryAgain("the bank's host does not resolve") from error
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    if not settings.private_hosts_allowed() and not all(
        is_public(ipaddress.ip_address(address)) for address in addresses
    ):
        raise UnsafeDestination("the host has an address that is not public")
    return addresses[:ADDRESSES_TRIED_MAX]


def _pool(parts: SplitResult, address: str) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS)
    host = f"[{address}]" if ":" in address else address
    if parts.scheme == "http":
        return urllib3.HTTPConnectionPool(host, parts.port or 80, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        host,
        parts.port or 443,
        timeout=timeout,
        server_hostname=parts.hostname,
        assert_hostname=parts.hostname,
    )


def _request(
    pool: urllib3.HTTPConnectionPool,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
) -> Reply:
    with pool:
        response = pool.urlopen(
            method,
            target,
            headers=dict(headers),
            body=body,
            retries=False,  # and so no redirects either; said again below for the reader
            redirect=False,
            preload_content=False,
        )
        answer = response.read(ANSWER_BYTES_MAX + 1, decode_content=False)
    if len(answer) > ANSWER_BYTES_MAX:
        raise NoAnswer("the bank's answer is over 256 KiB")
    received = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status, received, answer)
