"""Every setting of CX Hub, read from the environment and from .env; .env.example explains each."""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from celery.schedules import crontab

from cxhub.embedded import places, postgres, valkey
from cxhub.environment import Environment
from cxhub.logs import logging_configuration
from cxhub.secret_files import kept_private_key, kept_secret

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(BASE_DIR / os.environ.get("ENV_FILE", ".env"))

# --- Where and how it runs

DEBUG = env.flag("DEBUG", default=True)
DATA_DIR = env.folder("DATA_DIR", ".data", within=BASE_DIR)
BIND_ADDRESS = env.text("BIND_ADDRESS", default="127.0.0.1")
PORT = env.whole_number("PORT", default=8000, lowest=1, highest=65535)
PUBLIC_URL = env.web_address("PUBLIC_URL", default=f"http://localhost:{PORT}")
# One process uses one core, and the other half is for the database and what else runs here.
WEB_PROCESSES = env.whole_number("WEB_PROCESSES", default=min(4, os.cpu_count() or 1), lowest=1, highest=64)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", urlsplit(PUBLIC_URL).hostname or ""])
TRUST_PROXY_HEADERS = env.flag("TRUST_PROXY_HEADERS", default=False)
SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY and DEBUG:
    SECRET_KEY = kept_secret(DATA_DIR, "secret_key")
elif not SECRET_KEY:
    env.require("SECRET_KEY", "DEBUG is off", "SECRET_KEY=<50 random characters>")
# The do-not-contact list is found by hashes under this key, so it must outlive a change of SECRET_KEY.
SUPPRESSION_KEY = env.text("SUPPRESSION_KEY") or SECRET_KEY

# --- Applications

INSTALLED_APPS = [
    "daphne",
    "channels",
    "cxhub.apps.CxAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "django_celery_beat",
    "pgtrigger",
    "pghistory",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "import_export",
    "routing",
    "conversations",
    "reporting",
    "cxhub",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "cxhub.policy_history.NameTheManager",
    "cxhub.readers_zone.InTheReadersZone",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "cxhub.urls"
ASGI_APPLICATION = "cxhub.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- PostgreSQL and Valkey

EMBEDDED_DATABASE = not env.text("DATABASE_URL")
EMBEDDED_VALKEY = not env.text("VALKEY_URL")
EMBEDDED_PLACES = places.find(DATA_DIR) if EMBEDDED_DATABASE or EMBEDDED_VALKEY else None
DATABASES = {"default": env.database("DATABASE_URL", postgres.address(EMBEDDED_PLACES) if EMBEDDED_PLACES else "")}
DATABASE_POOL_SIZE = env.whole_number("DATABASE_POOL_SIZE", default=10, lowest=0, highest=200)
DATABASE_PREPARE_AFTER = env.whole_number("DATABASE_PREPARE_AFTER", default=3, lowest=0, highest=1000)
DATABASES["default"].setdefault("OPTIONS", {}).update(server_side_binding=True, prepare_threshold=DATABASE_PREPARE_AFTER or None)
if DATABASE_POOL_SIZE:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 10}
ASYNC_DATABASE_POOL_SIZE = env.whole_number("ASYNC_DATABASE_POOL_SIZE", default=8, lowest=1, highest=200)
VALKEY_URL = env.valkey("VALKEY_URL", valkey.address(EMBEDDED_PLACES) if EMBEDDED_PLACES else "")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": VALKEY_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # Publish/subscribe ignores database numbers, so the prefix keeps apart what shares one server. A client with a time limit
        # of its own loses cancellations on Python 3.11 (`asyncio.wait_for`), and what was cancelled goes on for ever.
        "CONFIG": {
            "hosts": [{"address": VALKEY_URL, "socket_timeout": None}],
            "prefix": f"cxhub:{valkey.database_number(VALKEY_URL)}:",
        },
    }
}
CELERY_BROKER_URL = valkey.broker_url(VALKEY_URL)
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    "write-heartbeat": {"task": "cxhub.tasks.write_heartbeat", "schedule": 15.0, "options": {"expires": 15}},
    "dispatch-waiting-work": {"task": "routing.tasks.dispatch_waiting_work", "schedule": 5.0, "options": {"expires": 5}},
    "expire-offers": {"task": "routing.tasks.expire_offers", "schedule": 2.0, "options": {"expires": 2}},
    "end-wrap-ups": {"task": "routing.tasks.end_wrap_ups", "schedule": 5.0, "options": {"expires": 5}},
    "notice-silent-agents": {"task": "routing.tasks.notice_silent_agents", "schedule": 30.0, "options": {"expires": 30}},
    "finish-turns": {"task": "conversations.tasks.finish_turns", "schedule": 5.0, "options": {"expires": 5}},
    "write-wrap-ups": {"task": "conversations.tasks.write_wrap_ups", "schedule": 5.0, "options": {"expires": 5}},
    "end-silent-interactions": {
        "task": "conversations.tasks.end_silent_interactions", "schedule": 60.0, "options": {"expires": 60},
    },
    "end-lost-legs": {"task": "conversations.tasks.end_lost_legs", "schedule": 10.0, "options": {"expires": 10}},
    "tell-of-calls": {"task": "conversations.tasks.tell_of_calls", "schedule": 15.0, "options": {"expires": 15}},
    "reconcile-calls": {"task": "conversations.tasks.reconcile_calls", "schedule": 60.0, "options": {"expires": 60}},
    "leave-nobody-without-work": {
        "task": "conversations.tasks.leave_nobody_without_work", "schedule": 60.0, "options": {"expires": 60},
    },
    "tell-of-call-backs": {"task": "conversations.tasks.tell_of_call_backs", "schedule": 30.0, "options": {"expires": 30}},
    "close-quiet-conversations": {
        "task": "conversations.tasks.close_quiet_conversations", "schedule": 600.0, "options": {"expires": 600},
    },
    "suggest-matches": {
        "task": "conversations.tasks.suggest_matches", "schedule": crontab(hour="3", minute="20"), "options": {"expires": 3600},
    },
    "erase-people": {"task": "conversations.tasks.erase_people", "schedule": 60.0, "options": {"expires": 60}},
    "ask-connectors": {"task": "conversations.tasks.ask_connectors", "schedule": 60.0, "options": {"expires": 60}},
    "call-back-in-time": {"task": "conversations.tasks.call_back_in_time", "schedule": 30.0, "options": {"expires": 30}},
    "keep-call-backs": {"task": "conversations.tasks.keep_call_backs", "schedule": 10.0, "options": {"expires": 10}},
    "send-forgotten-texts": {"task": "conversations.tasks.send_forgotten_texts", "schedule": 15.0, "options": {"expires": 15}},
    "run-campaigns": {"task": "conversations.tasks.run_campaigns", "schedule": 5.0, "options": {"expires": 5}},
    "send-leads": {"task": "conversations.tasks.send_leads", "schedule": 60.0, "options": {"expires": 60}},
    "fetch-recordings": {"task": "conversations.tasks.fetch_recordings", "schedule": 10.0, "options": {"expires": 10}},
    "delete-recordings-at-the-platform": {
        "task": "conversations.tasks.delete_recordings_at_the_platform", "schedule": 60.0, "options": {"expires": 60},
    },
    "apply-retention": {"task": "conversations.tasks.apply_retention", "schedule": crontab(hour=2, minute=30)},
}

# --- Signing in

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/inbox/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "cxhub.accounts.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_RATE_LIMITS = {"login_failed": None}  # axes counts these, and keeps a record
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "cxhub.accounts.address_signed_in_from"
AXES_USERNAME_CALLABLE = "cxhub.accounts.name_signed_in_with"
AXES_RESET_ON_SUCCESS = True
EMAIL_CONFIGURATION = env.email("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = EMAIL_CONFIGURATION["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_CONFIGURATION["EMAIL_HOST"]
EMAIL_PORT = EMAIL_CONFIGURATION["EMAIL_PORT"]
EMAIL_HOST_USER = EMAIL_CONFIGURATION["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = EMAIL_CONFIGURATION["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = EMAIL_CONFIGURATION.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIGURATION.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", default="CX Hub <cxhub@localhost>")

# --- What browsers may do

SERVED_OVER_HTTPS = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# A decision table of 2,000 rows (routing.rules.compile.MOST_ROWS) is one form, with about twenty fields a row.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = SERVED_OVER_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if SERVED_OVER_HTTPS and not DEBUG else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS)
SECURE_SSL_REDIRECT = SERVED_OVER_HTTPS and TRUST_PROXY_HEADERS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY_HEADERS else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "media-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}

# --- Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "cxhub.formats"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- Static files

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Recorded calls: private, and so outside of everything that has an address. `services.recordings` alone writes it.
    "recordings": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": Path(env.text("RECORDINGS_DIR") or DATA_DIR / "recordings"),
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = DATA_DIR / "media"

# --- The API

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {"TITLE": "CX Hub", "VERSION": "1", "SERVE_INCLUDE_SCHEMA": False}

# --- The language model

ANTHROPIC_API_KEY = env.text("ANTHROPIC_API_KEY")
ANTHROPIC_BASE_URL = env.web_address("ANTHROPIC_BASE_URL", default="https://api.anthropic.com")
CHAT_MODEL = env.text("CHAT_MODEL", default="claude-sonnet-5-5")
VOICE_MODEL = env.text("VOICE_MODEL", default="claude-haiku-5-5")
EFFORTS = ["low", "medium", "high", "xhigh", "max"]
CHAT_MODEL_EFFORT = env.choice("CHAT_MODEL_EFFORT", "medium", EFFORTS)
VOICE_MODEL_EFFORT = env.choice("VOICE_MODEL_EFFORT", "low", EFFORTS)
WRITING_MODEL = env.text("WRITING_MODEL") or CHAT_MODEL
WRITING_MODEL_EFFORT = env.choice("WRITING_MODEL_EFFORT", "low", EFFORTS)
WRAP_UP_TIMEOUT_SECONDS = env.whole_number("WRAP_UP_TIMEOUT_SECONDS", default=30, lowest=1, highest=60)
COPILOT_TIMEOUT_SECONDS = env.whole_number("COPILOT_TIMEOUT_SECONDS", default=8, lowest=1, highest=60)
MODEL_TIMEOUT_SECONDS = env.whole_number("MODEL_TIMEOUT_SECONDS", default=30, lowest=1, highest=600)
ASSISTANT_BRAIN = env.text("ASSISTANT_BRAIN", default="")
ASSISTANT_REPLIES_PER_MINUTE = env.whole_number("ASSISTANT_REPLIES_PER_MINUTE", default=30, lowest=1, highest=10_000)
ASSISTANT_REPLIES_IN_A_ROW = env.whole_number("ASSISTANT_REPLIES_IN_A_ROW", default=60, lowest=1, highest=10_000)
ASSISTANT_TOOLS_PER_CONVERSATION = env.whole_number("ASSISTANT_TOOLS_PER_CONVERSATION", default=200, lowest=1, highest=10_000)
"""Where a playbook does not say how many."""
VOICE_MODEL_TIMEOUT_SECONDS = env.whole_number("VOICE_MODEL_TIMEOUT_SECONDS", default=4, lowest=1, highest=60)
MODEL_SILENCE_SECONDS = env.whole_number("MODEL_SILENCE_SECONDS", default=10, lowest=1, highest=600)
MODEL_TURN_BUDGET_CENTS = env.whole_number("MODEL_TURN_BUDGET_CENTS", default=10, lowest=1, highest=1000)
MODEL_PRICES = env.prices("MODEL_PRICES", default="claude-haiku-5-5=1/5,claude-sonnet-5-5=3/15,claude-opus-5-5=5/25")
MODEL_LONGEST_REPLY = 4000
TURN_LEASE_SECONDS = env.whole_number("TURN_LEASE_SECONDS", default=60, lowest=2, highest=3600)

# --- The phone

VONAGE_GATEWAY = env.choice("VONAGE_GATEWAY", "simulator" if DEBUG else "off", ["simulator", "vonage", "off"])
VONAGE_API_URL = env.text("VONAGE_API_URL")
VONAGE_APPLICATION_ID = env.text("VONAGE_APPLICATION_ID")
VONAGE_API_KEY = env.text("VONAGE_API_KEY")
VONAGE_API_SECRET = env.text("VONAGE_API_SECRET")
VONAGE_SIGNATURE_SECRET = env.text("VONAGE_SIGNATURE_SECRET")
VONAGE_CLOCK_AHEAD_SECONDS = env.whole_number("VONAGE_CLOCK_AHEAD_SECONDS", default=30, lowest=0, highest=300)
VONAGE_REGION = env.choice(
    "VONAGE_REGION", "", ["", "na-east", "na-west", "eu-east", "eu-west", "apac-sng", "apac-australia"]
)
VONAGE_PRIVATE_KEY = env.text_or_file("VONAGE_PRIVATE_KEY", BASE_DIR, begins_with="-----BEGIN")
if VONAGE_GATEWAY == "simulator":
    VONAGE_APPLICATION_ID = VONAGE_APPLICATION_ID or "00000000-0000-4000-8000-000000000000"
    VONAGE_API_KEY = VONAGE_API_KEY or "simulator"
    VONAGE_API_SECRET = VONAGE_API_SECRET or "simulator"
    VONAGE_SIGNATURE_SECRET = VONAGE_SIGNATURE_SECRET or kept_secret(DATA_DIR, "vonage_signature_secret")
    VONAGE_PRIVATE_KEY = VONAGE_PRIVATE_KEY or kept_private_key(DATA_DIR, "vonage_private_key.pem")
    if not env.text("EMAIL_URL"):
        EMAIL_BACKEND = "conversations.voice.simulator.mail.MailBackend"
elif VONAGE_GATEWAY == "vonage":
    for name, value, example in (
        ("VONAGE_APPLICATION_ID", VONAGE_APPLICATION_ID, "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"),
        ("VONAGE_API_KEY", VONAGE_API_KEY, "abcd1234"),
        ("VONAGE_SIGNATURE_SECRET", VONAGE_SIGNATURE_SECRET, "<the account's signature secret>"),
        ("VONAGE_PRIVATE_KEY", VONAGE_PRIVATE_KEY, "private.key"),
        ("PUBLIC_URL", env.text("PUBLIC_URL"), "https://service.example.com"),
    ):
        if not value:
            env.require(name, "VONAGE_GATEWAY is vonage", f"{name}={example}")
VONAGE_FILE_HOSTS = env.words(
    "VONAGE_FILE_HOSTS",
    default=[
        "api.nexmo.com", "api-us.nexmo.com", "api-us-1.nexmo.com", "api-us-2.nexmo.com", "api-us-3.nexmo.com", "api-eu.nexmo.com",
        "api-eu-1.nexmo.com", "api-eu-2.nexmo.com", "api-eu-3.nexmo.com", "api-ap.nexmo.com", "api-ap-3.nexmo.com", "api-ap-4.nexmo.com",
        "api-sg-1.nexmo.com", "api.vonage.com",
    ],
)  # fmt: skip
RECORDING_MOST_MEGABYTES = env.whole_number("RECORDING_MOST_MEGABYTES", default=300, lowest=1, highest=10_000)
RECORDING_LINK_SECONDS = env.whole_number("RECORDING_LINK_SECONDS", default=300, lowest=10, highest=86_400)
VOICE_REPLY_BUDGET_MS = env.whole_number("VOICE_REPLY_BUDGET_MS", default=900, lowest=0, highest=10_000)
VOICE_LONGEST_WAIT_SECONDS = env.whole_number("VOICE_LONGEST_WAIT_SECONDS", default=20, lowest=2, highest=120)

# --- Limits

RESERVATION_TIMEOUT_SECONDS = env.whole_number("RESERVATION_TIMEOUT_SECONDS", default=30, lowest=5, highest=600)
CHAT_MAX_MESSAGE_BYTES = env.whole_number("CHAT_MAX_MESSAGE_BYTES", default=16_384, lowest=256, highest=1_000_000)
CALL_ME_REGIONS = env.words("CALL_ME_REGIONS", default=[])
CALL_ME_PER_HOUR = env.whole_number("CALL_ME_PER_HOUR", default=20, lowest=1, highest=1_000_000)
OUTBOUND_CALLS_PER_SECOND = env.whole_number("OUTBOUND_CALLS_PER_SECOND", default=2, lowest=1, highest=100)
OUTBOUND_CALLS_AT_ONCE = env.whole_number("OUTBOUND_CALLS_AT_ONCE", default=20, lowest=1, highest=10_000)
CHAT_SESSIONS_PER_HOUR = env.whole_number("CHAT_SESSIONS_PER_HOUR", default=120, lowest=1, highest=1_000_000)
IDENTIFIER_SHARED_ABOVE = env.whole_number("IDENTIFIER_SHARED_ABOVE", default=5, lowest=1, highest=10_000)
CHAT_MESSAGES_PER_SECOND = env.whole_number("CHAT_MESSAGES_PER_SECOND", default=5, lowest=1, highest=1000)

# --- Logs

LOGGING = logging_configuration(
    level=env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"]), as_json=not DEBUG
)

env.finish()
