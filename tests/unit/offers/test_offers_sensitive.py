"""Which categories no offer may be built on, and which are ordinary shopping."""

import pytest

from chalicelib.offers.audiences.sensitive import HARMLESS, STEMS_BY_SUBJECT, is_sensitive

SENSITIVE_BY_SUBJECT = {
    "health": """Pharmacy, Health & Beauty/Medicines, Painkillers, Pain relief, Antidepressants,
        Insulin, Laxatives, First Aid, Cold and flu, Plasters, Gluten-free, Free From""",
    "reproduction": """Menstrual care, Sanitary towels, Period products, Pregnancy tests,
        Breast pumps""",
    "alcohol": "Wine, Beers_and_ciders, (Alcohol), Drinks>Wine, Non-alcoholic, Pale ale, Gin",
    "tobacco": "TOBACCO, Vapes, E-Cigarettes, Rolling-tobacco, E-liquids, Smoking",
    "gambling": "Lottery, Scratch-cards, Bets",
    "belief": "Religious books, Bakery-halal, Kosher",
    "union and politics": "Trade union, Political parties",
    "sexuality": "Lingerie, LGBT, LGBTQ+, Gay & lesbian, Viagra, Adult",
    "origin": "Ethnic foods, Afro hair",
    "children and mourning": "Baby food, Nappies, Funerals, Urns",
    "crime and debt": "Knives, Loans, Pawnbrokers",
}
ORDINARY = """Coffee, Tea, Herbal tea, Gunpowder tea, Soft drinks, Cold drinks, Juice, Water, Milk,
    Bread, Pain au chocolat, Cake, Digestive biscuits, Ginger biscuits, Gingham, Ginger ale,
    Ginger-beer, Wine gums, Winegums, Liquorice, Chocolate bars, Crisps, Cereals, Lentils,
    Pasta & rice, Continental cheese, Eggs, Scotch eggs, Smoked salmon, Prawns, Rump steak,
    Porterhouse steak, Chicken breast, Cocktail sausages, Baby spinach, Fruit & vegetables, Vegan,
    Asian noodles, Frozen food, Ready meals, Pizza, Ice cream, Spices, Import, Better butter,
    Household, Laundry, Kitchen towels, Fluffy towels, Whisks, Pillows, Paint, Plaster, Fertiliser,
    Toiletries, Shampoo, Toothpaste, Cosmetics, Pet food, Tablets, Electronics, Clothing, Toys,
    Books, Stationery, Christmas, Easter, Sportswear, Cinema tickets, Restaurants"""


def listed(names: str) -> list[str]:
    return [" ".join(name.split()) for name in names.split(",")]


@pytest.mark.requirement("OFR-06")
@pytest.mark.parametrize("subject", STEMS_BY_SUBJECT)
def test_what_says_something_about_a_person_is_sensitive(subject: str) -> None:
    names = listed(SENSITIVE_BY_SUBJECT[subject])

    assert [name for name in names if not is_sensitive(name)] == []


@pytest.mark.parametrize(
    "category", ["Médicaments", "Drinks\u2013Wine", "To\u200bbacco", "5.Wine.2"]
)
def test_neither_punctuation_nor_accents_hide_what_it_is(category: str) -> None:
    assert is_sensitive(category)


def test_ordinary_shopping_stays_usable() -> None:
    assert [name for name in listed(ORDINARY) if is_sensitive(name)] == []


def test_what_stands_beside_ordinary_words_counts() -> None:
    assert [f"{one} & beer" for one in HARMLESS if not is_sensitive(f"{one} & beer")] == []
