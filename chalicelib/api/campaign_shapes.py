"""Campaigns on the wire, for their retailers."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.offers.campaigns.model import Stage
from chalicelib.offers.campaigns.public_shapes import BudgetShape, CampaignShape


class StandingShape(msgspec.Struct, frozen=True):
    """How the budget stands, in minor units. `redemptions` counts rewards, taken back or not."""

    cap_minor: int
    spent_minor: int
    left_minor: int
    redemptions: int


class DayShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """How often the offer was seen, opened, clicked and switched on, on one day (UTC)."""

    on: Annotated[str, Meta(examples=["2026-12-01"])]
    impressions: int = 0
    views: int = 0
    clicks: int = 0
    activations: int = 0


class CampaignAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A campaign of the caller's: the document as it was written, and how it is doing.

    `standing` and `days` are told of one campaign, and not of each in a list.
    """

    id: str
    reference: str
    stage: Stage
    version: int
    campaign: CampaignShape
    is_exhausted: bool = False
    ended_at: str | None = None
    standing: StandingShape | None = None
    days: tuple[DayShape, ...] = ()


class CampaignsAnswer(msgspec.Struct, frozen=True):
    """All campaigns of the caller's, in order of id."""

    campaigns: tuple[CampaignAnswer, ...]


class BudgetBody(BudgetShape, frozen=True):
    """The new budget, in all. It may fall to what is spent and leased already."""
