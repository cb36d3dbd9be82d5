"""The application that keeps what happened."""

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    """Connects what listens once every model is loaded."""

    name = "conversations"
    verbose_name = "Conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Shows what routing changes, on screens; closes them at sign-out; lets entries, people and text messages reach phones."""
        from conversations.flows import work_events
        from conversations.inbox import signing_out
        from conversations.voice import delivery as voice_delivery
        from conversations.voice import texting

        work_events.connect()
        signing_out.connect()
        voice_delivery.register()
        texting.register()
