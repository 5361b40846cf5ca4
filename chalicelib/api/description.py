"""What anyone may ask without a credential: is it up, and what can it do."""

from typing import Any

import msgspec
from chalice import Blueprint

from chalicelib.api import openapi
from chalicelib.api.rim import Answer, Inbound, operation

bp = Blueprint(__name__)

DESCRIPTION_KEPT_SECONDS = 300  # A client may keep the document this long; it changes on deploys.


class Health(msgspec.Struct):
    """That this process answers, and which version of the API it speaks."""

    status: str
    version: str


@operation(
    bp,
    "GET",
    "/health",
    summary="Whether the API answers",
    answers={200: Health},
    tags=("about",),
)
def show_health(_inbound: Inbound) -> Answer:
    """Answer at once, without asking any other system."""
    return Answer(Health(status="ok", version=openapi.API_VERSION))


@operation(
    bp,
    "GET",
    "/openapi.json",
    summary="This description",
    answers={200: dict[str, Any]},
    tags=("about",),
)
def show_description(_inbound: Inbound) -> Answer:
    """The OpenAPI 3.1 document of every route, made from the types that decode and encode."""
    kept = {"Cache-Control": f"public, max-age={DESCRIPTION_KEPT_SECONDS}"}
    return Answer(openapi.described(), headers=kept)
