from typing import Any

from django.core.management.base import BaseCommand

from leadcrm.lib.beat import ensure_schedules


class Command(BaseCommand):
    help = "Create the periodic tasks that are missing; leave those that exist as they are."

    def handle(self, *args: Any, **options: Any) -> str:
        created = ensure_schedules()
        return f"Created: {', '.join(created)}." if created else "All periodic tasks are there."
