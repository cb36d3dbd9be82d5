"""Tasks that watch the tasks themselves."""

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

HEARTBEAT_KEY = "beat-heartbeat"


@shared_task
def write_heartbeat() -> None:
    """Note the time: beat sent this task and a worker ran it. `manage.py doctor` and the home page read it."""
    cache.set(HEARTBEAT_KEY, timezone.now().isoformat(), timeout=None)
