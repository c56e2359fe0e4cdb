"""What can be wrong with a wish. Each carries a sentence for people."""

from django.db.models import Model


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


class NotSetUp(PipelineError):
    """Something is missing that only an administrator can mend.

    ``mend``: what to do about it, in a sentence; ``where``: the row of the admin at which to begin.
    """

    def __init__(self, why: str, mend: str, where: Model) -> None:
        super().__init__(why)
        self.mend = mend
        self.where = where


class ReasonMissing(PipelineError):
    """A lead is not lost without a reason."""

    def __init__(self) -> None:
        super().__init__("Say why the lead was lost.")


class ValueMissing(PipelineError):
    """A lead is not won without a value."""

    def __init__(self) -> None:
        super().__init__("Say what the lead was won for; 0 if for nothing.")


class StageFull(PipelineError):
    """The owner of a lead has as many leads in a stage as it allows."""

    def __init__(self, stage: str, limit: int) -> None:
        plural = "" if limit == 1 else "s"
        super().__init__(f'"{stage}" has room for {limit} lead{plural} of one owner. Move one of them on first.')


class TooLate(PipelineError):
    """There is nothing left to undo."""

    def __init__(self) -> None:
        super().__init__("It is too late to undo this. Move the lead back by hand.")
