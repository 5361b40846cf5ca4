"""A mutant as a value: one bug, as somebody might write it, and the tests that have to find it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

EARNING = ("tests/unit/loyalty/test_loyalty_earning.py",)
SALE = ("tests/unit/loyalty/test_loyalty_sale.py",)
GIVING = ("tests/integration/test_ledger_giving.py",)
LEASING = ("tests/unit/budgets/test_budgets_leasing.py",)
BUDGETS = ("tests/integration/test_budgets_spending.py",)
AWARDING = ("tests/integration/test_offers_awarding.py",)
STATES = ("tests/unit/payouts/test_payouts_states.py",)
OUTCOMES = ("tests/integration/test_payouts_outcomes.py",)
SENDING = ("tests/integration/test_payouts_sending.py",)


@dataclass(frozen=True, slots=True)
class Mutant:
    """`new` instead of `old`, which stands once in `module` (a path from the root).

    - `name` is what reports call it; `what` says the bug in a sentence.
    - `killed_by` are the test files of which one has to fail, the likeliest first; or one test, as
      pytest names it (`file::test`).
    """

    name: str
    what: str
    module: str
    old: str
    new: str
    killed_by: tuple[str, ...]

    @property
    def bug(self) -> str:
        """A print of what the mutant changes: another bug has another."""
        said = "\0".join((self.module, self.old, self.new))
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def is_stale(self, root: Path) -> bool:
        """Whether the code under `root` is not what the mutant was written for any more."""
        path = root / self.module
        return not path.is_file() or path.read_text().count(self.old) != 1

    def written(self, root: Path) -> str:
        """The module with the bug."""
        return (root / self.module).read_text().replace(self.old, self.new)
