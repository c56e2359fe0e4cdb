from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class DistributionConfig(AppConfig):
    name = "distribution"
    verbose_name = "Distribution"

    def ready(self) -> None:
        from distribution import guards, receivers  # noqa: F401 - importing it connects it

        autodiscover_modules("escalations")
        post_migrate.connect(guards.install, sender=self, dispatch_uid="distribution.guards")
