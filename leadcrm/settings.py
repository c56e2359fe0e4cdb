"""The one settings file. What differs between installations is read from the environment: see docs/settings.md.

Without any variable this is the embedded installation: SQLite and a file broker under var/, for one machine.
With DATABASE_URL and without DEBUG it is a production installation, which leadcrm/checks.py does not let start
half-configured.
"""

import logging
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from leadcrm.lib.secret import local_secret

env = environ.Env()


def integer(name: str, default: int) -> int:
    """A whole number from the environment; anything else is refused by name."""
    text = env.str(name, default=str(default))
    try:
        return int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}. Set it to a whole number, such as {default}.") from None


BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()  # all that this machine keeps

# --- Which kind of installation -----------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
DATABASE_URL = env.str("DATABASE_URL", default="")
PRODUCTION = bool(DATABASE_URL) and not DEBUG

SECRET_KEY = env.str("SECRET_KEY", default="") or ("" if PRODUCTION else local_secret(VAR_DIR / "secret_key"))
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else LOCAL_HOSTS)
SITE_URL = env.str("SITE_URL", default="" if PRODUCTION else "http://127.0.0.1:8000").rstrip("/")

# --- Applications -------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.guardian",
    "unfold.contrib.simple_history",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "simple_history",
    "guardian",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_celery_beat",
    "import_export",
    "axes",
    "csp",
    "leadcrm",
    "pipeline",
    "distribution",
    "notifications",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "leadcrm.middleware.PathAwareCSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "leadcrm.middleware.ReaderTimeZoneMiddleware",
    "distribution.middleware.LastSeenMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it answers for a locked-out sign-in
]

ROOT_URLCONF = "leadcrm.urls"
WSGI_APPLICATION = "leadcrm.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "distribution.context.availability",
            ],
        },
    },
]

# --- Database -----------------------------------------------------------------------------------

# IMMEDIATE takes the write lock when the transaction begins: a transaction that reads first and writes later cannot be
# upgraded and would fail at once under load, whatever the timeout. WAL lets readers go on meanwhile.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; "
        "PRAGMA mmap_size=134217728; PRAGMA cache_size=-20000;"
    ),
}

# PostgreSQL keeps the plan of what a connection asks for the third time (leadcrm/lib/statements.py).
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS", default=True)
PREPARE_AFTER = 2


def database(url: str) -> dict[str, Any]:
    """The connection for a database URL, with the options that its engine needs to serve several processes."""
    config = environ.Env.db_url_config(url)
    if config["ENGINE"] == "django.db.backends.sqlite3":
        return {**config, "OPTIONS": SQLITE_OPTIONS}
    options = {**config.get("OPTIONS", {}), "prepare_threshold": PREPARE_AFTER if PREPARED_STATEMENTS else None}
    age = integer("CONN_MAX_AGE", default=60)
    return {**config, "OPTIONS": options, "CONN_MAX_AGE": age, "CONN_HEALTH_CHECKS": True}


DATABASES = {"default": database(DATABASE_URL or f"sqlite:///{VAR_DIR}/leadcrm.sqlite3")}
# SQLite leaves out the further columns of an index, which only save PostgreSQL a look at the rows.
SILENCED_SYSTEM_CHECKS = ["models.W040"] if DATABASES["default"]["ENGINE"].endswith("sqlite3") else []

# --- Cache, e-mail, messages --------------------------------------------------------------------

# Throttles count in the cache, so it must be one that every process sees: files here, Redis in production.
CACHES = {"default": env.cache_url("CACHE_URL", default=f"filecache://{VAR_DIR}/cache")}
EMAIL_URL = env.str("EMAIL_URL", default="")
EMAIL_BACKEND = "leadcrm.lib.consolemail.EmailBackend"
if EMAIL_URL:
    vars().update(environ.Env.email_url_config(EMAIL_URL))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="LeadCRM <leadcrm@localhost>")

TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_FROM = env.str("TWILIO_FROM", default="")
TWILIO_MESSAGING_SERVICE_SID = env.str("TWILIO_MESSAGING_SERVICE_SID", default="")
TWILIO_WHATSAPP_FROM = env.str("TWILIO_WHATSAPP_FROM", default="")
TWILIO_API_BASE = env.str("TWILIO_API_BASE", default="")
# Seconds that a rep's phone rings, and that both must talk for a call to count as contact.
CALL_RING_SECONDS = integer("CALL_RING_SECONDS", default=20)
CALL_CONTACT_SECONDS = integer("CALL_CONTACT_SECONDS", default=30)
# Minutes after which a call whose end nobody reported is closed; longer than Twilio lets any call last (4 hours).
CALL_UNKNOWN_MINUTES = integer("CALL_UNKNOWN_MINUTES", default=300)

VAPID_PRIVATE_KEY = env.str("VAPID_PRIVATE_KEY", default="")
VAPID_SUBJECT = env.str("VAPID_SUBJECT", default=f"mailto:{parseaddr(DEFAULT_FROM_EMAIL)[1]}")

# --- Celery -------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="safefs://localhost")
CELERY_TASK_TIME_LIMIT = integer("CELERY_TASK_TIME_LIMIT", default=300)  # seconds
# After this many seconds without an answer Redis takes a task for lost with its worker and gives it to another.
CELERY_VISIBILITY_TIMEOUT = integer("CELERY_VISIBILITY_TIMEOUT", default=900)


# Who hands over a task does not wait for a broker that is down (kombu would, 6 seconds): a sweep finds the work.
IMPATIENT = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}


def broker_options(url: str) -> dict[str, Any]:
    """Transport options by broker: where the files are, or when Redis gives a lost worker's tasks to another."""
    if url.startswith("safefs:"):
        folder = str(VAR_DIR / "broker")
        return {
            "data_folder_in": f"{folder}/queue",
            "data_folder_out": f"{folder}/queue",
            "control_folder": f"{folder}/control",
            "polling_interval": 0.1,
        }
    if url.startswith(("redis:", "rediss:")):
        return {
            **IMPATIENT,
            "visibility_timeout": CELERY_VISIBILITY_TIMEOUT,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 2,
        }
    return dict(IMPATIENT)


CELERY_BROKER_TRANSPORT_OPTIONS = broker_options(CELERY_BROKER_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # no results are kept, so beat needs no task that forgets them
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"

# --- Time and language --------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "leadcrm.formats"

# --- Sign-in and access -------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/board/"
LOGOUT_REDIRECT_URL = "/login/"
ANONYMOUS_USER_NAME = None  # guardian's stand-in user would show up among the people who can own leads
AXES_ENABLED = env.bool("AXES_ENABLED", default=True)
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 1  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # both, so that nobody can lock a colleague out
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"

# --- Web security -------------------------------------------------------------------------------

HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_TRUSTED_ORIGINS = [SITE_URL] if HTTPS else []
SECURE_HSTS_SECONDS = integer("HSTS_SECONDS", default=2_592_000 if HTTPS else 0)
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=False)
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = HTTPS and BEHIND_TLS_PROXY
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # asked from inside, without TLS
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# Hosts of the own network that addresses typed in by users may lead to (leadcrm/lib/outgoing.py).
OUTGOING_LOCAL_HOSTS = [host.lower() for host in env.list("OUTGOING_LOCAL_HOSTS", default=[])]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Static files -------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise complains about a directory that is not there
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").exists() else []
MEDIA_ROOT = VAR_DIR / "media"
STATIC_STORAGE = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if DEBUG
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}

# --- API and admin ------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "leadcrm.lib.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "LeadCRM partner API",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
}
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "LeadCRM",
    "SITE_HEADER": "LeadCRM",
    "SITE_ICON": "leadcrm.adminmenu.icon",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "leadcrm.adminmenu.icon"}],
    "SITE_URL": "/board/",
    "SHOW_HISTORY": True,
    "STYLES": ["leadcrm.adminmenu.stylesheet"],
    "SCRIPTS": ["leadcrm.adminmenu.script"],
    "DASHBOARD_CALLBACK": "leadcrm.adminmenu.front_page",
    "SIDEBAR": {"show_search": False, "navigation": "leadcrm.adminmenu.navigation"},
}

# --- Business -----------------------------------------------------------------------------------

BASE_CURRENCY = env.str("BASE_CURRENCY", default="EUR").upper()
TRACE_RETENTION_DAYS = integer("TRACE_RETENTION_DAYS", default=180)
PAYLOAD_RETENTION_DAYS = integer("PAYLOAD_RETENTION_DAYS", default=90)
MESSAGE_RETENTION_DAYS = integer("MESSAGE_RETENTION_DAYS", default=180)

# --- Logs ---------------------------------------------------------------------------------------

LOG_FORMAT = env.str("LOG_FORMAT", default="text")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LEVEL = LOG_LEVEL if LOG_LEVEL in logging.getLevelNamesMapping() else "INFO"
LINE_FORMATS: dict[str, dict[str, Any]] = {
    "text": {"format": "%(levelname)-7s %(name)s: %(message)s"},
    "json": {"()": "leadcrm.lib.logs.json_formatter"},
}
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": LINE_FORMATS["json" if LOG_FORMAT == "json" else "text"]},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LEVEL},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        "axes": {"level": "WARNING"},
        # It tells of each task that it sends, takes and ends.
        "celery": {"level": "WARNING"},
        "django_celery_beat": {"level": "WARNING"},
        # It tells of each call with its headers, and so of account and receiver.
        "twilio.http_client": {"level": "WARNING"},
        # A worker that was started without a level sets the root to WARNING, and there most messages are written.
        "leadcrm.lib.consolemail": {"level": LEVEL},
    },
}
