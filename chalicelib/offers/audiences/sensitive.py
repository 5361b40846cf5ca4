"""Categories that say something about a person which no offer may be built on: the one list.

What is bought in them is never looked at for audiences, interests or profiles, whoever asks. They
have to do with health, alcohol and tobacco, gambling, belief, union and politics, sexuality, with
what children and mourners need, and with debt. The subjects follow Article 9 of the GDPR and the
UK advertising code (CAP), with a wide margin: what merely looks like one of them is left out too.
"""

from collections.abc import Iterable
from functools import lru_cache

# A word of a category's name that begins with one of these makes it sensitive.
STEMS_BY_SUBJECT = {
    "health": "pharmac medic medicin drug prescri health contracep pregnan fertilit incontinen "
    "diet slimming weightloss vitamin supplement diabet disab mobility optic dental hearing "
    "wellness clinic therap",
    "alcohol": "alcohol beer ale lager cider wine spirit liquor whisk vodka gin rum champagne "
    "prosecco cocktail brandy sake",
    "tobacco": "tobacco cigar vap nicotin smok snus hookah shisha",
    "gambling": "gambl lotter lotto bet betting casino bingo scratchcard poker",
    "belief": "relig church mosque synagog temple bible quran koran torah prayer faith halal "
    "kosher hallal christen communion",
    "union and politics": "union politic campaigning",
    "sexuality": "adult sex erotic condom lingerie dating fetish",
    "children and mourning": "baby babies infant nappy nappies diaper toddler funeral bereave "
    "memorial",
    "crime and debt": "weapon firearm knife pawn payday cannabis cbd",
}
# Whole words that begin like one of the above and mean something harmless.
HARMLESS = frozenset("better ginger gingerbread rump spirited winegum winegums".split())


@lru_cache(maxsize=4096)
def is_sensitive(category: str) -> bool:
    """Whether `category` says something that no offer may be built on."""
    words = category.casefold().replace("/", " ").replace("_", " ").replace("&", " ").split()
    return any(_begins_sensitively(word.strip("().,:;'\"")) for word in words)


def harmless(categories: Iterable[str]) -> frozenset[str]:
    """Those of `categories` that may be looked at."""
    return frozenset(one for one in categories if not is_sensitive(one))


def _begins_sensitively(word: str) -> bool:
    return word not in HARMLESS and word.startswith(_STEMS)


_STEMS = tuple(stem for stems in STEMS_BY_SUBJECT.values() for stem in stems.split())
