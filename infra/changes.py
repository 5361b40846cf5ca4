"""What a deployment would change, as CloudFormation says it, and what of it is grave."""

from dataclasses import dataclass

KEPT_TYPES = ("AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SQS::Queue")


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that a change set adds, modifies or removes."""

    action: str
    kind: str
    logical_id: str
    replaces: bool

    @property
    def is_grave(self) -> bool:
        """Whether something that holds messages, rows or keys goes away."""
        return self.kind in KEPT_TYPES and (self.replaces or self.action == "Remove")

    def __str__(self) -> str:
        mark = "  !! holds what must not be lost" if self.is_grave else ""
        how = f"{self.action}, replaced" if self.replaces else self.action
        return f"{how:18} {self.kind:36} {self.logical_id}{mark}"
