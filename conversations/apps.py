"""The application that keeps what happened."""

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    """Connects what listens once every model is loaded."""

    name = "conversations"
    verbose_name = "Conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Shows what routing changes, on screens."""
        from conversations.flows import work_events

        work_events.connect()
