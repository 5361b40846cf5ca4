"""Who may win an offer: whose purchase it is, and what they may have bought before."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import PaymentId
from chalicelib.offers.audiences.model import Audience, New
from chalicelib.offers.awarding import Awarded, Won
from chalicelib.offers.participation import store
from chalicelib.offers.participation.model import new_participation
from chalicelib.purchases import store as purchases
from tests.makers.loyalty import SOLD_AT
from tests.makers.offers import award, bought, campaign, coffees, join, key_of, open_town, run

HOUR = timedelta(hours=1)
pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("town")]


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town()


def test_who_switched_an_offer_on_is_not_asked_again_whether_it_is_for_them() -> None:
    ada, (for_new,) = join(), run(campaign(needs_activation=True, audience=Audience((New(30),))))
    row = replace(new_participation(for_new), activated_at=SOLD_AT - 2 * HOUR)
    store.record_participation(ada.member_id, row, key=key_of(ada))
    another = replace(coffees(350), reference="A-1000")
    before = bought(another, ada, "t-0", at=SOLD_AT - 3 * HOUR)
    assert purchases.record_purchase(before, key=key_of(ada))

    awarded = award(bought(coffees(350), ada), ada)

    assert awarded.won == (Won(for_new.campaign_id, 100, "GBP"),)


def test_a_purchase_that_another_source_told_of_wins_nothing() -> None:
    ada = join()
    run(campaign())

    awarded = award(bought(coffees(350), ada, same_as=PaymentId("t-0")), ada)

    assert awarded == Awarded()
