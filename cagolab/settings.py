"""Django's settings. Everything that differs between installations comes from the environment (cagolab.config)."""

from __future__ import annotations

import os
from pathlib import Path

from cagolab import config

BASE_DIR = Path(__file__).resolve().parent.parent
CONFIG = config.load_or_exit(os.environ)
PRODUCTION = CONFIG.environment == "production"

SECRET_KEY = CONFIG.secret_key
CREDENTIALS_KEYS = CONFIG.credentials_keys
DEBUG = False
ALLOWED_HOSTS = CONFIG.allowed_hosts
CSRF_TRUSTED_ORIGINS = CONFIG.csrf_trusted_origins

# Demo and tests only: the product's clock follows the sandbox's, and the checkout page exists.
SANDBOX_URL = CONFIG.sandbox_url
DEMO_CHECKOUT = not PRODUCTION
GATEWAY_ACCOUNTS = CONFIG.gateway_accounts

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "bootstrap",
    "fontawesome",
    "django_htmx",
    "cagolab.apps.CagolabConfig",
    "orders.apps.OrdersConfig",
    "payments.apps.PaymentsConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "cagolab.security.addresses.ClientAddressMiddleware",
    "cagolab.middleware.ContentSecurityPolicyMiddleware",
    "cagolab.security.size.RequestSizeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "cagolab.security.sessions.SessionLifetimeMiddleware",
    "cagolab.middleware.HtmxLoginRequiredMiddleware",
    "cagolab.security.gate.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "cagolab.urls"
WSGI_APPLICATION = "cagolab.wsgi.application"

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
                "cagolab.navigation.navigation",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "cagolab.quick_parts.environment", "context_processors": []},
    },
]

# The same templates of fields as Django's usual ones, but quicker: an order has forty fields and a hundred prefectures.
FORM_RENDERER = "django.forms.renderers.Jinja2"

DATABASES = {"default": CONFIG.database}
# Without DATABASE_URL Django knows no PostgreSQL and warns of indexes that only PostgreSQL has.
SILENCED_SYSTEM_CHECKS = ["models.W040"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# One transaction per request would keep one open while a provider is called.
ATOMIC_REQUESTS = False

AUTHENTICATION_BACKENDS = ["cagolab.security.backends.OfficeBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "ja"
TIME_ZONE = "Asia/Tokyo"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
# In tests every client begins a server of its own: it looks a file up when it is asked for, not all at its start.
WHITENOISE_AUTOREFRESH = CONFIG.environment == "test"

# The most orders that one bulk run takes; beyond it the operator is asked to narrow the search.
BULK_MAX_ROWS = 20_000

# Where finished exports wait to be fetched; web and workers share it.
EXPORT_FOLDER = CONFIG.export_folder

# A bulk form posts a run id, but a page of ticked rows is at most a few hundred fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

SESSION_ENGINE = "cagolab.security.session_store"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Counted from the login; a session that is used does not live longer.
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_IDLE_SECONDS = 60 * 60
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "cagolab.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if PRODUCTION:
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

# How many of our own proxies append to X-Forwarded-For; the client's address is what the outermost one saw.
TRUSTED_PROXIES = CONFIG.trusted_proxies
# Who may move money needs an authenticator app.
REQUIRE_SECOND_FACTOR = CONFIG.require_second_factor
# A bulk run over money that is larger than either takes the password again, unless it was given this recently.
REAUTHENTICATION_ROWS = 100
REAUTHENTICATION_YEN = 1_000_000
REAUTHENTICATION_SECONDS = 15 * 60

EMAIL_CONFIG = CONFIG.email
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = CONFIG.shop_mail_from
SHOP_REGISTRATION_NUMBER = CONFIG.shop_registration_number
SHOP_ADDRESS = CONFIG.shop_address
SHOP_PHONE = CONFIG.shop_phone

REDIS_URL = CONFIG.redis_url
CELERY_BROKER_URL = CONFIG.redis_url
CELERY_TASK_IGNORE_RESULT = True  # results live in our tables
CELERY_TASK_STORE_EAGER_RESULT = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A bell that cannot be rung must not hang a page; the minute job rings again.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "visibility_timeout": 3600,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "Asia/Tokyo"
CELERY_BEAT_SCHEDULE = {
    "recover-open-operations": {"task": "payments.tasks.recover", "schedule": 60.0},
    "ring-reconciliations-again": {"task": "payments.tasks.ring_reconciliations", "schedule": 60.0},
    "ring-bulk-runs-again": {"task": "orders.bulk.tasks.ring", "schedule": 60.0},
    "ring-exports-again": {"task": "orders.exports.tasks.ring", "schedule": 60.0},
    "send-queued-mails": {"task": "orders.tasks.send_mails", "schedule": 60.0},
    "nightly-jobs": {"task": "payments.nightly.tasks.tick", "schedule": 60.0},
    "ask-about-notifications": {"task": "payments.notifications.tasks.ask", "schedule": 60.0},
    "fetch-notifications": {"task": "payments.notifications.tasks.fetch", "schedule": 60.0},
    "fold-order-counts": {"task": "orders.tasks.fold_counts", "schedule": 60.0},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": CONFIG.log_level},
}
