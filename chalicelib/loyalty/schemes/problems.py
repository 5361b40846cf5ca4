"""What may be wrong with a scheme, as refusals."""

from collections.abc import Sequence

from chalicelib.kernel.refusals import NotAllowed, Rejected


class SchemeProblem(NotAllowed):
    """Something in the scheme cannot be meant."""

    code = "scheme"


class SchemeRefused(NotAllowed):
    """The scheme has problems. Its code and field are the first one's; `problems` are all."""

    code = "scheme"

    def __init__(self, problems: Sequence[Rejected]) -> None:
        first = problems[0]
        super().__init__(first.detail, field=first.field, code=first.code)
        self.problems = tuple(problems)
