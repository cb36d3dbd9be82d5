from importlib import import_module

from django.db import migrations

BEFORE = import_module("conversations.migrations.0030_calls_within_the_rules").DIAL_REFUSAL
STANDS = "IF NOT conversations_consent_stands(consent, whose, dialled, 'outbound_call', moment) THEN"
# A request for a call back is a yes to that call, and to no other.
DIAL_REFUSAL = BEFORE.replace(
    STANDS,
    """IF NOT conversations_consent_stands(consent, whose, dialled, 'outbound_call', moment) OR (
        wanted NOT IN ('callback', 'call_me')
        AND EXISTS (SELECT FROM conversations_consent request WHERE request.id = consent AND request.asked_for)
    ) THEN""",
)


class Migration(migrations.Migration):

    dependencies = [
        ("conversations", "0048_copies_of_what_was_cut"),
    ]

    operations = [
        migrations.RunSQL(DIAL_REFUSAL, BEFORE),
    ]
