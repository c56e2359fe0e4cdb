"""A worker that only sends: `python -m tests.support.deliverer CHANNEL LEASE_SECONDS`, until it is killed."""

import sys
import time
from datetime import timedelta

import django


def main(channel: str, lease: timedelta) -> None:
    from notifications.services import deliver, rescue

    while True:
        rescue()
        taken, _ = deliver(channel, seconds=1.0, lease=lease)
        if not taken:
            time.sleep(0.1)


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1], timedelta(seconds=float(sys.argv[2])))
