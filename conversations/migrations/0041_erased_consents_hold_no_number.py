import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

FUNCTION = """
                    IF to_jsonb(NEW) - 'customer_id' = to_jsonb(OLD) - 'customer_id' THEN
                        RETURN NEW;
                    END IF;
                    IF OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL
                       AND (to_jsonb(NEW) - '{value,note,source_id,erased_at}'::text[])
                         = (to_jsonb(OLD) - '{value,note,source_id,erased_at}'::text[]) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'consents are append-only; only joining records moves one, and erasure empties one, once'
                        USING ERRCODE = 'check_violation';
                """
WITHOUT_NUMBERS = "UPDATE conversations_consent SET source_id = NULL WHERE erased_at IS NOT NULL AND source_id IS NOT NULL"


class Migration(migrations.Migration):
    """An erasure empties what a repetition would be known by; those of before did not."""

    dependencies = [("conversations", "0040_numbers_that_were_called")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="consent", name="consents_are_append_only"),
        migrations.RunSQL(WITHOUT_NUMBERS, migrations.RunSQL.noop),
        pgtrigger.migrations.AddTrigger(
            model_name="consent",
            trigger=pgtrigger.compiler.Trigger(
                name="consents_are_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func=FUNCTION,
                    hash="55c42b9b3a6f372ad0606a2abb7906824451dab4",
                    operation="UPDATE",
                    pgid="pgtrigger_consents_are_append_only_de727",
                    table="conversations_consent",
                    when="BEFORE",
                ),
            ),
        ),
    ]
