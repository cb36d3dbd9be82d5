from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0047_search_in_what_was_said_on_calls'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='callrecording',
            name='platform_deletes_exactly_what_is_deleted_here',
        ),
        migrations.AddConstraint(
            model_name='callrecording',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('platform_files__len__gt', 0), ('platform_next_try_at__isnull', False), models.Q(('state__in', ['announced', 'fetching']), _negated=True)), models.Q(('platform_files__len', 0), ('platform_next_try_at__isnull', True)), _connector='OR'), name='platform_deletes_nothing_that_is_still_to_be_fetched'),
        ),
    ]
