import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models

# Consonants that are taken for each other get the same digit (Soundex, Odell and Russell, 1918), in Latin, Cyrillic and Greek; vowels get 0.
GROUPS = {
    '1': 'BFPVWbfpvwБВПФбвпфΒΠΦΨβπφψ',
    '2': 'CGJKQSXZcgjkqsxzßГЖЗКСХЦЧШЩгжзксхцчшщΓΖΚΞΣΧγζκξσςχ',
    '3': 'DTdtÐðĐđÞþДТдтΔΘΤδθτ',
    '4': 'LlŁłЛлΛλ',
    '5': 'MNmnМНмнΜΝμν',
    '6': 'RrРрΡρ',
    '0': 'AEIOUYaeiouyØøÆæŒœıАЕИОУЫЭЮЯІЄаеиоуыэюяієΑΕΗΙΟΥΩαεηιουω',
}
DROPPED = 'HhЬЪьъ'
LETTERS = ''.join(GROUPS.values())
DIGITS = ''.join(digit * len(letters) for digit, letters in GROUPS.items())

# The words of a name by how they sound: at most four words, at most four groups of consonants each, vowels left out. Accents go by
# Unicode's decomposition; words of other scripts stay as they are. Nothing depends on the database's collation.
SOUNDS = f"""
CREATE FUNCTION conversations_sounds(said text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL ON NULL INPUT AS $$
    SELECT coalesce(array_agg(DISTINCT sound), '{{}}') FROM (
        SELECT coalesce(nullif(left(replace(
            regexp_replace(translate(word, '{LETTERS}{DROPPED}', '{DIGITS}'), '(.)\\1+', '\\1', 'g'), '0', ''), 4), ''), '0') AS sound
        FROM regexp_split_to_table(
            regexp_replace(normalize(left(said, 300), NFKD), '[\\u0300-\\u036f''’]', '', 'g'), '[\\s.,;:/()&+-]+') AS word
        WHERE word <> ''
        LIMIT 4
    ) AS sounds
$$
"""

# What a record can be found by when not everything was heard right: any two of a word of the name, another one, the year of birth, the
# birthday, the beginning of the postcode and its end. In the database, so that no way of writing a customer can forget it.
KEYS = """
CREATE FUNCTION conversations_search_keys(sounds text[], born date, postcode text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH parts(kind, part) AS (
        SELECT 'n', unnest(sounds)
        UNION ALL SELECT 'y', lpad(extract(year FROM born)::text, 4, '0')
        UNION ALL SELECT 'd', lpad(extract(month FROM born)::text, 2, '0') || lpad(extract(day FROM born)::text, 2, '0')
        UNION ALL SELECT 'h', nullif(left(postcode, 3), '')
        UNION ALL SELECT 't', nullif(right(postcode, 3), '')
    )
    SELECT coalesce(array_agg(DISTINCT one.kind || one.part || other.kind || other.part), '{}')
    FROM parts AS one, parts AS other
    WHERE (one.kind = 'n' AND other.kind = 'n' AND one.part COLLATE "C" < other.part COLLATE "C")
       OR (one.kind = 'n' AND other.kind <> 'n')
       OR (one.kind IN ('y', 'd') AND other.kind IN ('h', 't'))
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0008_proofs_and_identifiers'),
    ]

    operations = [
        migrations.RunSQL(SOUNDS, 'DROP FUNCTION conversations_sounds(text)'),
        migrations.RunSQL(KEYS, 'DROP FUNCTION conversations_search_keys(text[], date, text)'),
        migrations.AddField(
            model_name='customer',
            name='search_keys',
            field=models.GeneratedField(db_persist=True, expression=models.Func(models.Func(models.F('name'), function='conversations_sounds'), models.F('date_of_birth'), models.F('postcode'), function='conversations_search_keys'), help_text='What it is found by when name, birthday or postcode were not heard quite right; kept by the database.', output_field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
        ),
        migrations.AddIndex(
            model_name='booking',
            index=models.Index(django.db.models.functions.text.Replace('reference', models.Value('-'), models.Value('')), name='booking_by_reference_as_said'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search_keys'], name='customer_by_what_was_heard'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(condition=models.Q(('date_of_birth__isnull', False)), fields=['date_of_birth'], name='customer_by_date_of_birth'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(condition=models.Q(('postcode', ''), _negated=True), fields=['postcode'], name='customer_by_postcode'),
        ),
        migrations.AddIndex(
            model_name='identifier',
            index=models.Index(models.Func(django.db.models.functions.text.Upper('value'), models.Value('^[^:]*:|[^A-Z0-9]'), models.Value(''), models.Value('g'), function='regexp_replace', output_field=models.TextField()), condition=models.Q(('kind', 'external')), name='external_by_number_as_said'),
        ),
    ]
