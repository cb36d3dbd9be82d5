"""How a database is built, for comparing two that were made in different ways."""

from django.db import connection

STRUCTURE = """
    SELECT 'column', table_name, column_name,
           concat_ws(' ', udt_name, character_maximum_length, is_nullable, column_default, identity_generation, generation_expression)
      FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name ~ %(tables)s
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename ~ %(tables)s
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
     WHERE contype IN ('c', 'u', 'f', 'p', 'x') AND conrelid::regclass::text ~ %(tables)s
    UNION ALL
    SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(pg_trigger.oid) || prosrc
      FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
     WHERE NOT tgisinternal AND tgrelid::regclass::text ~ %(tables)s
"""
FUNCTIONS = """
    SELECT 'function', '', proname, pg_get_functiondef(oid) FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' AND proname !~ '^_'
       AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""


def tables_like(pattern: str) -> set[tuple[str, ...]]:
    """Columns, indexes, constraints and triggers of the tables whose names match a regular expression, by their definitions."""
    with connection.cursor() as cursor:
        cursor.execute(STRUCTURE, {"tables": pattern})
        return set(cursor.fetchall())


def functions() -> set[tuple[str, ...]]:
    """The functions that our migrations made, and no library, by their definitions."""
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
        return set(cursor.fetchall())
