"""The parameters of a path: decoded once, and by whoever handed them over."""

import pytest

from chalicelib.api import path_parameters
from chalicelib.kernel.refusals import Malformed

FROM_REST: dict[str, object] = {"pathParameters": {}}
FROM_HTTP: dict[str, object] = {"version": "1.0", "pathParameters": {}}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("ada", "ada"),
        ("bob%40bank", "bob@bank"),
        ("a%2Fb%2fc", "a/b/c"),
        ("a+b%2Bc", "a+b+c"),
        ("a%3Ab%20c", "a:b c"),
        ("100%25", "100%"),
        ("%2540", "%40"),
        ("caf%C3%A9", "café"),
        ("café", "café"),
        ("gu%00", "gu\x00"),
    ],
)
def test_a_name_is_decoded_once(sent: str, meant: str) -> None:
    assert path_parameters.decode({"user": sent}, FROM_REST) == {"user": meant}


@pytest.mark.parametrize("sent", ["bob@bank", "100%", "%40", "a+b"])
def test_leaves_alone_what_the_gateway_decoded(sent: str) -> None:
    assert path_parameters.decode({"user": sent}, FROM_HTTP) == {"user": sent}


@pytest.mark.parametrize(
    ("sent", "code", "detail"),
    [
        ("100%", "malformed", "the path has a % that is no escape; a % itself is %25"),
        ("%4", "malformed", "the path has a % that is no escape; a % itself is %25"),
        ("%zz", "malformed", "the path has a % that is no escape; a % itself is %25"),
        ("%u0041", "malformed", "the path has a % that is no escape; a % itself is %25"),
        ("caf%E9", "not_utf8", "the path is not UTF-8"),
        ("%C0%AF", "not_utf8", "the path is not UTF-8"),
        ("%ED%A0%80", "not_utf8", "the path is not UTF-8"),
        ("\ud800", "not_utf8", "the path is not UTF-8"),
    ],
)
def test_refuses_what_stands_for_no_text(sent: str, code: str, detail: str) -> None:
    with pytest.raises(Malformed) as refused:
        path_parameters.decode({"user": sent}, FROM_REST)

    refusal = refused.value
    assert (refusal.code, refusal.field, refusal.detail) == (code, "user", detail)
