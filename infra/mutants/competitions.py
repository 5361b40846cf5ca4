"""Mutants of competitions: who enters, what is drawn from, and when."""

from infra.mutants.model import Mutant

DRAWING = ("tests/unit/offers/test_competitions_drawing.py",)
COMPETITIONS = ("tests/integration/test_competitions.py",)
_DRAWS = "chalicelib/offers/competitions/draws.py"
_SERVICE = "chalicelib/offers/competitions/service.py"
_STORE = "chalicelib/offers/competitions/store.py"

MUTANTS = (
    Mutant(
        "seed_is_known_to_who_enters",
        "a competition may run on after the fact is known by which it is drawn",
        "chalicelib/offers/competitions/checking.py",
        "if competition.seed_known_at < ends_at:",
        "if competition.seed_known_at < starts_at:",
        DRAWING,
    ),
    Mutant(
        "drawn_before_the_seed_is_known",
        "a draw is made as soon as the competition is over, with whatever seed",
        _DRAWS,
        "    if now < competition.seed_known_at:\n",
        "    if now < competition.ends_at:\n",
        COMPETITIONS,
    ),
    Mutant(
        "any_seed_was_the_seed",
        "who draws with another seed is shown the draw that was made, as if it were by theirs",
        _DRAWS,
        "        if competition.draw.seed != said:\n",
        "        if not competition.draw.seed:\n",
        COMPETITIONS,
    ),
    Mutant(
        "drawn_from_what_was_read",
        "a draw is made from fewer entries than there are",
        _DRAWS,
        "    if len(pool) != counted:\n",
        "    if len(pool) > counted:\n",
        COMPETITIONS,
    ),
    Mutant(
        "number_keys_the_hash",
        "seed and number change places in the documented formula, so nobody can draw again",
        "chalicelib/offers/competitions/drawing.py",
        "hmac.new(seed.encode(), entry_id.encode(), hashlib.sha256)",
        "hmac.new(entry_id.encode(), seed.encode(), hashlib.sha256)",
        DRAWING,
    ),
    Mutant(
        "entered_at_the_very_end",
        "who enters at the moment of the end is in time",
        "chalicelib/offers/competitions/model.py",
        "return Stage.LIVE if now < self.ends_at else Stage.ENDED",
        "return Stage.LIVE if now <= self.ends_at else Stage.ENDED",
        DRAWING,
    ),
    Mutant(
        "enters_as_often_as_wished",
        "a member who has entered enters again, under another number",
        _STORE,
        "(row, EntryRow.pk.does_not_exist())",
        "(row, EntryRow.entry_id != entry.entry_id)",
        COMPETITIONS,
    ),
    Mutant(
        "entered_after_the_draw",
        "an entry that is slow gets into a pool that was closed",
        _STORE,
        "updated=[(shard, counted, ShardRow.is_closed.does_not_exist())]",
        "updated=[(shard, counted, None)]",
        COMPETITIONS,
    ),
    Mutant(
        "withdrawn_after_the_draw",
        "who leaves takes an entry out of a pool that was drawn from",
        _STORE,
        "(shard, [ShardRow.entries.add(-1)], ShardRow.is_closed.does_not_exist()),",
        "(shard, [ShardRow.entries.add(-1)], None),",
        COMPETITIONS,
    ),
    Mutant(
        "drawn_entry_outlives_its_member",
        "the entry of a member who left is kept as long as if they had stayed",
        _STORE,
        "(row.expires_at is None or row.expires_at > until)",
        "(row.expires_at is None or row.expires_at < until)",
        COMPETITIONS,
    ),
    Mutant(
        "any_terms_are_agreed_to",
        "who agreed to terms of before enters under those of now",
        _SERVICE,
        "    if terms_version != competition.terms_version:\n",
        "    if not terms_version:\n",
        COMPETITIONS,
    ),
    Mutant(
        "enters_without_consent",
        "somebody who took the consent back at the bank enters",
        _SERVICE,
        "return member.status is MemberStatus.ACTIVE and Service.OFFERS in member.services",
        "return member.status is not MemberStatus.LEFT and Service.OFFERS in member.services",
        COMPETITIONS,
    ),
    Mutant(
        "terms_change_while_it_runs",
        "what a competition offers changes after members have entered",
        _SERVICE,
        "if before is not None and before.stage_at(now) is not Stage.DRAFT:",
        "if before is not None and before.stage_at(now) in (Stage.ENDED, Stage.DRAWN):",
        COMPETITIONS,
    ),
)
