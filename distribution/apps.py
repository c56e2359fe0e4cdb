from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DistributionConfig(AppConfig):
    name = "distribution"
    verbose_name = "Distribution"

    def ready(self) -> None:
        from distribution import guards, receivers  # noqa: F401 - importing it connects it

        post_migrate.connect(guards.install, sender=self, dispatch_uid="distribution.guards")
