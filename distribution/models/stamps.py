from django.db import models


class ConfigStamp(models.Model):
    """A number that grows with each change of a kind of configuration, so that processes may cache what it becomes."""

    kind = models.CharField(max_length=20, primary_key=True)
    version = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.kind} {self.version}"
