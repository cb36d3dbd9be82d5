"""The settings of test runs: those of the product, read from a cleaned environment."""

from tests.support.environment import prepare

prepare()

from cxhub.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",  # quick; tests make many users
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # what the product's own processes know
]
# A test that waits for a lock that nobody gives back fails, and says for which statement.
DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c lock_timeout=120s"
INSTALLED_APPS = [*INSTALLED_APPS, "tests.support.emptying"]
