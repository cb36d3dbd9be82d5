from django.db import migrations

KEPT_DAYS = {
    "chat_messages": None,
    "call_transcripts": None,
    "tool_traces": None,
    "decisions": None,
    "webhooks": None,
    "chat_sessions": None,
    "codes": 30,
    "sign_ins": 365,
}


def add_rules(apps, schema_editor):
    """One rule for each kind: what customers said is kept until somebody decides otherwise."""
    rules = apps.get_model("conversations", "RetentionRule")
    for kind, days in KEPT_DAYS.items():
        rules.objects.get_or_create(kind=kind, defaults={"keep_days": days})


class Migration(migrations.Migration):
    dependencies = [("conversations", "0011_erasure_and_retention")]

    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
