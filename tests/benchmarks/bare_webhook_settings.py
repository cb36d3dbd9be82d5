"""The settings of the bare view that the phone's webhooks are compared with: the product's database and secrets, nothing else of it."""

from cxhub.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.bare_webhook"
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]  # without it the library refuses to start
