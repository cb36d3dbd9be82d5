import gc

# Until everything is loaded (`CxHubConfig.ready`) there is nothing to free, and looking for it takes a sixth of a start.
gc.disable()

from cxhub.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
