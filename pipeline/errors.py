"""What can be wrong with a wish. Each carries a sentence for people."""


class PipelineError(Exception):
    """Nothing was changed; the text says why."""


class StaleLead(PipelineError):
    """Somebody else changed the lead since it was read."""

    def __init__(self) -> None:
        super().__init__("Somebody else changed this lead meanwhile. Look at it again and repeat your change.")


class BadWish(PipelineError):
    """One value of a wish cannot be; ``field`` names it."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class WrongStage(PipelineError):
    """The stage does not fit the lead or the wish."""


class ReasonMissing(PipelineError):
    """A lead is not lost without a reason."""

    def __init__(self) -> None:
        super().__init__("Say why the lead was lost.")
