"""What can go wrong when people act on leads. Each error's text is a sentence for them."""


class DistributionError(Exception):
    """Nothing was changed."""


class WrongState(DistributionError):
    """The lead is not in a state in which this can be done."""


class WrongValue(DistributionError):
    """A value cannot be right; ``field`` names which one."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class NotYours(DistributionError):
    """The lead belongs to, or was offered to, someone else."""


class AlreadyTaken(DistributionError):
    """Somebody else was faster."""


class Full(DistributionError):
    """The person cannot take another lead now."""


class Contention(DistributionError):
    """The lead or its pool kept changing; the sweep tries again."""
