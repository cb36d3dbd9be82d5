from importlib import import_module

from django.db import migrations

STAMP = import_module("routing.migrations.0019_what_is_set_up_has_a_stamp")
# Forms and their fields are not among them: those of a published playbook never change.
TABLES = ("conversations_playbook", "conversations_playbookform_reasons")


class Migration(migrations.Migration):

    dependencies = [
        ("conversations", "0049_requests_let_only_what_was_asked_for_through"),
        ("routing", "0019_what_is_set_up_has_a_stamp"),
    ]

    operations = [
        migrations.RunSQL(STAMP.WATCHED.format(table=table), STAMP.UNWATCHED.format(table=table)) for table in TABLES
    ]
