"""How many leads a stage has room for."""

from pipeline.errors import StageFull
from pipeline.models import Lead, Stage


def make_room(lead: Lead, stage: Stage) -> None:
    """Check, inside the caller's transaction, that the lead's owner may have one more in this stage.

    The stage is locked: two who move at the same time are counted one after the other.

    Raises:
        StageFull: the owner has as many there as the stage allows.
    """
    if stage.wip_limit is None or lead.owner_id is None:
        return
    list(Stage.objects.select_for_update(no_key=True).filter(pk=stage.pk).values_list("pk"))
    there = Lead.objects.filter(stage=stage, owner=lead.owner_id, closed_at=None, archived_at=None)
    if there.exclude(pk=lead.pk).count() >= stage.wip_limit:
        raise StageFull(stage.name, stage.wip_limit)
