from django.db import migrations, models

# On a table, for each statement. ALWAYS: rows that are restored as they were are a change as well.
WATCHED = """
CREATE TRIGGER {table}_is_set_up AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
   FOR EACH STATEMENT EXECUTE FUNCTION routing_configuration_changed();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_is_set_up;
"""
UNWATCHED = "DROP TRIGGER {table}_is_set_up ON {table};"
CHANGED = """
CREATE FUNCTION routing_configuration_changed() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO routing_configuration (id, stamp) VALUES (1, gen_random_uuid())
        ON CONFLICT (id) DO UPDATE SET stamp = EXCLUDED.stamp;
    RETURN NULL;
END
$body$;
INSERT INTO routing_configuration (id, stamp) VALUES (1, gen_random_uuid());
"""
TABLES = ("routing_reasoncode", "routing_reasonphrase", "routing_servicehoursexception")


class Migration(migrations.Migration):

    dependencies = [
        ("routing", "0018_classes_rise_once"),
    ]

    operations = [
        migrations.CreateModel(
            name="Configuration",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("stamp", models.UUIDField()),
            ],
            options={
                "verbose_name_plural": "configuration",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="there_is_one_configuration")],
            },
        ),
        migrations.RunSQL(CHANGED, "DROP FUNCTION routing_configuration_changed()"),
        *(migrations.RunSQL(WATCHED.format(table=table), UNWATCHED.format(table=table)) for table in TABLES),
    ]
