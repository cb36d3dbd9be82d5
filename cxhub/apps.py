import gc

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class CxHubConfig(AppConfig):
    default = True
    name = "cxhub"
    verbose_name = "CX Hub"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import cxhub.checks  # noqa: F401  # registers the system checks

        gc.freeze()
        gc.enable()


class CxAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with our site in its place."""

    default = False
    default_site = "cxhub.admin_site.CxAdminSite"
