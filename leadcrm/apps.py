from django.apps import AppConfig


class LeadcrmConfig(AppConfig):
    name = "leadcrm"
    verbose_name = "LeadCRM"

    def ready(self) -> None:
        from leadcrm import checks  # noqa: F401 - registers them
