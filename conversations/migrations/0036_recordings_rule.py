from django.db import migrations


def add_rule(apps, schema_editor):
    """Recordings are kept for half a year until somebody decides otherwise."""
    apps.get_model("conversations", "RetentionRule").objects.get_or_create(kind="recordings", defaults={"keep_days": 180})


class Migration(migrations.Migration):
    dependencies = [("conversations", "0035_call_recordings")]

    operations = [migrations.RunPython(add_rule, migrations.RunPython.noop)]
