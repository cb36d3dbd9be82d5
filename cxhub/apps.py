from django.apps import AppConfig


class CxHubConfig(AppConfig):
    name = "cxhub"
    verbose_name = "CX Hub"
    default_auto_field = "django.db.models.BigAutoField"
