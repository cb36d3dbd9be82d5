"""The Celery application. Tasks live in each app's tasks.py."""

import logging.config
import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import beat_init, setup_logging, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")

# Celery warns about workers of root because of pickled messages; ours are JSON only.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("cxhub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_arguments: Any) -> None:
    """Stop Celery from replacing the log format of the settings."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_ready.connect
def warm_understanding(**_arguments: Any) -> None:
    """Read what a turn needs before the first that this worker has to finish."""
    from conversations.assistant.warming import warm_in_background

    warm_in_background()


@beat_init.connect
def beat_at_once(**_arguments: Any) -> None:
    """Send the first heartbeat when beat starts, so that `doctor` need not wait for the schedule to come round."""
    app.send_task("cxhub.tasks.write_heartbeat", expires=60)
