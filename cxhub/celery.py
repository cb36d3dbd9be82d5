"""The Celery application. Tasks live in each app's tasks.py."""

import logging.config
import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging

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
