from django.db import migrations, models

KINDS = [
    ("chat_messages", "Words of chats and text messages, and notes of staff"),
    ("call_transcripts", "Words of calls"),
    ("recordings", "Recordings of calls, and messages that callers left"),
    ("tool_traces", "What the AI agent looked up and was told"),
    ("decisions", "Facts that routing decided by"),
    ("webhooks", "What the phone platform delivered"),
    ("chat_sessions", "Browsers of chat sessions"),
    ("codes", "One-time codes, and codes and links between channels"),
    ("numbers_called", "Numbers that were called or sent a link"),
    ("sign_ins", "Records of sign-ins of staff"),
]


def add_rule(apps, schema_editor):
    """Which numbers were rung is kept until somebody decides otherwise."""
    apps.get_model("conversations", "RetentionRule").objects.get_or_create(kind="numbers_called", defaults={"keep_days": None})


class Migration(migrations.Migration):
    dependencies = [("conversations", "0039_people_on_calls")]

    operations = [
        *(
            migrations.AlterField(name, "kind", models.CharField(choices=KINDS, help_text="What is emptied or removed.", max_length=20))
            for name in ("retentionrule", "retentionruleevent")
        ),
        migrations.RemoveConstraint("retentionrule", "retention_kind_is_known"),
        migrations.AddConstraint(
            "retentionrule",
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind for kind, _label in KINDS]), name="retention_kind_is_known"
            ),
        ),
        migrations.RunPython(add_rule, migrations.RunPython.noop),
    ]
