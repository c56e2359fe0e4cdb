"""A worker process that does nothing but sweep promises until it is stopped: `python -m tests.support.sweeper`."""

import os
import time

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadcrm.settings")
    django.setup()
    from distribution import services

    while True:
        services.sweep_clocks()
        time.sleep(0.05)


if __name__ == "__main__":
    main()
