from django.apps import AppConfig


class LeadcrmConfig(AppConfig):
    name = "leadcrm"
    verbose_name = "LeadCRM"

    def ready(self) -> None:
        from leadcrm import checks, taskruns  # noqa: F401 - they register themselves
