"""Words everyone shares: money, ids, time, card facts, refusals. Pure, standard library only."""
