"""Categories that say something about a person which no offer may be built on: the one list.

What is bought in them is never looked at for audiences, interests or profiles, whoever asks. They
have to do with health, alcohol and tobacco, gambling, belief, union and politics, sexuality and
origin, with what children and mourners need, with crime and debt. The subjects follow Article 9 of
the GDPR and the UK advertising code (CAP), with a wide margin: what merely looks like one of them
is left out too.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# What makes a category sensitive where a word of its name begins so, or some words do; what ends
# with a full stop has to be the whole word.
STEMS_BY_SUBJECT = {
    "health": """pharma, apothec, chemist, medic, drug, prescri, health, vitamin, multivitamin,
        supplement, diet, slimming, weightloss, weight loss, weight manag, weight control, diabet,
        insulin, disab, mobility, wheelchair, incontinen, optic, spectacles, dental, dentist,
        dentur, orthodon, orthop, hearing, wellness, wellbeing, well being, clinic, therap, physio,
        chiropr, osteopath, homeopath, homoeopath, acupunct, hospital, surger, surgic, doctor,
        disease, illness, sickness, allerg, hypoallerg, intoleran, gluten, lactose, coeliac, celiac,
        free from, painkill, relief, analges, paracetam, ibuprof, aspirin, codein, opioid, antidep,
        depressi, anxiety, mental., psych, antihist, antibio, antisep, antacid, antifung, antivir,
        indigest, heartburn, laxativ, constipat, diarrh, haemorr, hemorr, piles., cough, flu.,
        sore throat, decongest, eczema, psoria, acne, wart., warts., verruca, lice., scabies,
        athlete s foot, urin, first aid, plasters., bandag, wound, syringe, inhaler, asthma,
        arthrit, cancer, hiv., covid, coronavir, hormon, steroid, testost, sleep aid, sleeping aid,
        sleeping tab, insomni, rehab, addict, hair loss, ozempic, wegovy, statin, remed, stoma.,
        catheter, prosthe, ointment, dna., genetic, biometric""",
    "reproduction": """contracep, pregnan, fertilit, infertil, ovulat, matern, prenatal, antenatal,
        postnatal, breastfeed, breast feed, breastpump, breast pump, nursing, menstru, menopaus,
        period., periods., feminine, sanitary, tampon, thrush, cystitis, abortion""",
    "alcohol": """alcohol, beer, ale., ales., lager, stout, porter., ipa., pilsner, cider, perry.,
        mead., wine, spirit, liquor, liqueur, whisky, whiskies, whiskey, bourbon, scotch, cognac,
        brandy, vodka, gin., gins., rum., rums., tequila, mezcal, absinth, vermouth, sherry, port.,
        champagne, prosecco, cava., sangria, aperitif, aperol, schnapps, sake., soju, cocktail,
        alcopop, shandy, hard seltzer, seltzers, booze, brewer, distiller, off licen, bws., pub.,
        pubs., merlot, shiraz, rioja, malbec, chardonnay, sauvignon, pinot, claret.""",
    "tobacco": """tobacco, cigar, ecig, vap, eliquid, e liquid, e juice, nicotin, smok, snus, snuff,
        hookah, shisha, rolling paper, iqos, zyn.""",
    "gambling": """gambl, lotter, lotto, bet., bets., betting, bookmak, bookie, wager, casino,
        bingo, scratchcard, scratch card, poker, roulette, slot machine, jackpot, sweepstake,
        raffle""",
    "belief": """relig, church, mosque, synagog, temple, bible, quran, koran, torah, gospel, prayer,
        faith, worship, rosary, halal, kosher, hallal, christen, baptis, communion, christian,
        catholic, protestant, anglican, islam, muslim, jewish, judai, hindu, sikh, buddh, hajj,
        ramadan, eid., diwali, hanuk, chanuk, passover, hijab, niqab, atheis, agnostic, pagan,
        occult, tarot, astrolog""",
    "union and politics": """union, politic, campaigning, labour party, conservative party,
        democrat, republican, socialis, communis, nationalis, election, referendum, activis,
        protest., protests.""",
    "sexuality": """adult, sex, erotic, porn, condom, viagra, sildenafil, erectil, impoten, libido,
        intimate, intimacy, personal lubric, lingerie, dating, fetish, bdsm, lgbt, gay., gays.,
        lesbian, bisex, homosex, transgen, transsex, queer, pride., gender""",
    "origin": """ethnic, racial, afro, diaspora, migrant, immigra, refugee, asylum, gypsy, ancestry,
        nationality, skin lighten, skin whiten""",
    "children and mourning": """baby, babies, infant, newborn, nappy, nappies, diaper, toddler,
        funeral, bereave, memorial, cremat, coffin, urn., urns., headston, gravest, undertak,
        hospice""",
    "crime and debt": """weapon, firearm, gun., guns., ammun, rifle, knife, knives, pawn, payday,
        loan, debt, insolven, bankrupt, bailiff, cannabis, cbd""",
}
# What begins like one of the above and is ordinary shopping.
HARMLESS = (
    "ginger ale",
    "ginger beer",
    "root beer",
    "wine gum",
    "wine gums",
    "winegum",
    "winegums",
    "liquorice",
    "spirited",
    "cocktail sausages",
    "fruit cocktail",
    "prawn cocktail",
    "baby corn",
    "baby leaf",
    "baby potatoes",
    "baby spinach",
    "babybel",
    "scotch egg",
    "scotch eggs",
    "smoked",
)


@lru_cache(maxsize=4096)
def is_sensitive(category: str) -> bool:
    """Whether `category` says something that no offer may be built on."""
    text = f" {' '.join(_words(category))} "
    for phrase in HARMLESS:
        text = text.replace(f" {phrase} ", " ")
    return _SENSITIVE.search(text) is not None


def harmless(categories: Iterable[str]) -> frozenset[str]:
    """Those of `categories` that may be looked at."""
    return frozenset(one for one in categories if not is_sensitive(one))


def _words(category: str) -> list[str]:
    """The words of a name: letters and digits without accents or case; all else parts them."""
    plain = unicodedata.normalize("NFKD", category).casefold()
    seen = "".join(one for one in plain if unicodedata.category(one) not in ("Mn", "Cf"))
    return re.findall(r"[^\W_]+", seen)


_STEMS = [stem for stems in STEMS_BY_SUBJECT.values() for stem in stems.split(",")]
_SENSITIVE = re.compile(
    " (?:" + "|".join(" ".join(stem.split()).replace(".", " ") for stem in _STEMS) + ")"
)
