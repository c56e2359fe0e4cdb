import gc

from django.apps import AppConfig


class LeadcrmConfig(AppConfig):
    name = "leadcrm"
    verbose_name = "LeadCRM"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from leadcrm import checks, taskruns  # noqa: F401 - they register themselves
        from leadcrm.lib.pgmoments import read_moments_quickly

        connection_created.connect(read_moments_quickly, dispatch_uid="moments")
        _collect_garbage_seldom()


def _collect_garbage_seldom() -> None:
    """Nothing that is loaded by now ever becomes garbage. To look through all of it again and again, for the sake of
    the few hundred objects that a decision makes and drops, took a fifth of the processor time of a batch."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
