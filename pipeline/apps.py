from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PipelineConfig(AppConfig):
    name = "pipeline"
    verbose_name = "Leads"

    def ready(self) -> None:
        from pipeline import searchtext

        post_migrate.connect(searchtext.install, sender=self, dispatch_uid="pipeline.searchtext")
