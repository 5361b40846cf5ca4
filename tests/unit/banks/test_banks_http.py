"""The only way out, against real servers on loopback."""

import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.banks import http
from chalicelib.banks.telling import BankRefused, EndpointGone
from chalicelib.kernel.refusals import Rejected, TryAgain
from tests.makers.bank_server import bank_server
from tests.makers.banks import NOON


@pytest.fixture
def public_only() -> Iterator[None]:
    """A stage that may not call private addresses."""
    before = os.environ.pop("COUNTERFOIL_PRIVATE_HOSTS")
    yield
    os.environ["COUNTERFOIL_PRIVATE_HOSTS"] = before


def reply(status: int, **headers: str) -> http.Reply:
    return http.Reply(status, {k.replace("_", "-"): v for k, v in headers.items()}, b"")


def test_sends_what_it_is_given_and_returns_the_whole_answer() -> None:
    with bank_server((201, {"X-Answer": "yes"}, b"body")) as bank:
        got = http.call("PUT", bank.url + "/a/b%20c?q=1&r[]=2", headers={"A": "b"}, body=b"sent")
    (heard,) = bank.heard
    assert (got.status, got.headers["x-answer"], got.body) == (201, "yes", b"body")
    assert (heard.method, heard.target, heard.body) == ("PUT", "/a/b%20c?q=1&r%5B%5D=2", b"sent")
    assert heard.headers == {
        "host": bank.url.removeprefix("http://"),
        "user-agent": "Counterfoil/1",
        "accept-encoding": "identity",
        "a": "b",
        "content-length": "4",
    }


def test_does_not_follow_redirects() -> None:
    with bank_server() as other, bank_server((302, {"Location": other.url}, b"")) as bank:
        got = http.call("POST", bank.url + "/", body=b"receipt")
    assert (got.status, len(bank.heard), other.heard) == (302, 1, [])


def test_a_host_that_refuses_connections_may_be_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(TryAgain):
            http.call("GET", f"http://127.0.0.1:{unused.getsockname()[1]}/")


def test_a_server_that_hangs_up_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        import threading

        def hang_up() -> None:
            client, _ = server.accept()
            client.recv(100)
            client.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(TryAgain):
            http.call("GET", f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join(timeout=5)


def test_an_answer_over_the_limit_is_not_read() -> None:
    with (
        bank_server((200, {}, b"x" * (http.ANSWER_BYTES_MAX + 1))) as bank,
        pytest.raises(TryAgain),
    ):
        http.call("GET", bank.url)


def test_a_name_that_does_not_resolve_may_be_tried_again() -> None:
    with pytest.raises(TryAgain):
        http.call("GET", "https://no-such-bank.invalid/")


@pytest.mark.parametrize(
    "url",
    [
        "http://bank.example/hook",
        "ftp://bank.example/hook",
        "bank.example",
        "",
        "https://",
        "https:///path",
        "https://user:secret@93.184.216.34/",
        "https://93.184.216.34:99999/",
        "https://93.184.216.34:x/",
        "https://[::1",
        "https://93.184.216.34/\r\nX: y",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.1.2.3/",
        "https://172.16.0.9/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
    ],
)
def test_sends_nothing_to_what_is_not_https_on_a_public_address(
    public_only: None, url: str
) -> None:
    with pytest.raises(http.UnsafeDestination) as refusal:
        http.call("POST", url, body=b"receipt")
    assert refusal.value.code == "unsafe_destination"


def test_a_loopback_bank_hears_nothing_where_private_addresses_are_not_allowed(
    public_only: None,
) -> None:
    with bank_server() as bank:
        for url in (bank.url, bank.url.replace("http:", "https:")):
            with pytest.raises(http.UnsafeDestination):
                http.call("POST", url, body=b"receipt")
    assert bank.heard == []


@pytest.mark.parametrize("text", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_takes_public_addresses_for_public(text: str) -> None:
    assert http.is_public(ipaddress.ip_address(text))


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """A TLS server context for `name` and the file of the certificate to trust."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(NOON.tzinfo)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    return context, str(chain)


@pytest.fixture
def trust() -> Iterator[dict[str, str]]:
    """Set `trust["file"]`'s certificate as the only trusted one."""
    before = os.environ.get("SSL_CERT_FILE")

    class Trust(dict[str, str]):
        def __setitem__(self, name: str, path: str) -> None:
            os.environ["SSL_CERT_FILE"] = path

    yield Trust()
    os.environ.pop("SSL_CERT_FILE")
    if before is not None:
        os.environ["SSL_CERT_FILE"] = before


def test_connects_to_the_checked_address_and_proves_the_name_by_tls(
    tmp_path: Path, trust: dict[str, str]
) -> None:
    context, trust["file"] = certified(tmp_path, "localhost")
    with bank_server((200, {}, b"ok"), tls=context) as bank:
        assert http.call("GET", bank.url + "/x").body == b"ok"
    assert bank.heard[0].headers["host"] == bank.url.removeprefix("https://")


def test_does_not_talk_to_a_server_that_proves_another_name(
    tmp_path: Path, trust: dict[str, str]
) -> None:
    context, trust["file"] = certified(tmp_path, "other.example")
    with bank_server(tls=context) as bank, pytest.raises(TryAgain):
        http.call("POST", bank.url, body=b"receipt")
    assert bank.heard == []


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    assert http.accept(reply(status), now=NOON).status == status


@pytest.mark.parametrize("status", [302, 408, 425, 429, 500, 502, 503, 504])
def test_passing_statuses_are_tried_again(status: int) -> None:
    with pytest.raises(TryAgain) as passing:
        http.accept(reply(status), now=NOON)
    assert passing.value.after_seconds is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        (format_datetime(NOON + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOON - timedelta(seconds=90), usegmt=True), 0),
        ("Fri, 20 Nov 2026 12:02:00 -0000", 120),
        ("999999999", 86_400),
        ("soon", None),
        ("-5", None),
    ],
)
def test_waits_as_long_as_the_bank_asks(status: int, header: str, seconds: int | None) -> None:
    with pytest.raises(TryAgain) as passing:
        http.accept(reply(status, retry_after=header), now=NOON)
    assert passing.value.after_seconds == seconds


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 422])
def test_other_4xx_are_refused_for_good(status: int) -> None:
    with pytest.raises(BankRefused) as refusal:
        http.accept(reply(status), now=NOON)
    assert (refusal.value.code, refusal.value.detail) == (
        "bank_refused",
        f"the bank answered {status}",
    )


def test_410_says_that_nobody_listens_any_more() -> None:
    with pytest.raises(EndpointGone):
        http.accept(reply(410), now=NOON)


def test_401_asks_for_a_fresh_token_only_where_a_member_has_one() -> None:
    with pytest.raises(http.AccessRefused) as refusal:
        http.accept(reply(401), now=NOON, token_is_members=True)
    assert refusal.value.code == "access_refused"
    with pytest.raises(Rejected) as other:
        http.accept(reply(401), now=NOON)
    assert other.value.code == "bank_refused"


@given(
    st.text(max_size=60) | st.from_regex(r"\w{3}, \d{1,2} \w{3} \d{1,6} \d\d:\d\d:\d\d [+-]?\w+")
)
def test_any_retry_after_is_seconds_within_a_day_or_nothing(text: str) -> None:
    seconds = http.parse_retry_after(text, now=NOON)
    assert seconds is None or 0 <= seconds <= 86_400
