from django.db import models


class TaskRun(models.Model):
    """When a periodic task last did its work. What beat says is only that it sent it, and it writes that down late."""

    task = models.CharField(primary_key=True, max_length=200)
    done_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.task
