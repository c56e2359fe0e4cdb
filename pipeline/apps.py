from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class PipelineConfig(AppConfig):
    name = "pipeline"
    verbose_name = "Leads"

    def ready(self) -> None:
        from pipeline import firsttasks, searchtext

        post_migrate.connect(searchtext.install, sender=self, dispatch_uid="pipeline.searchtext")
        pre_migrate.connect(firsttasks.make_way, sender=self, dispatch_uid="pipeline.firsttasks")
        post_migrate.connect(firsttasks.install, sender=self, dispatch_uid="pipeline.firsttasks")
