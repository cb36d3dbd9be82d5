# Ready answers of agents.

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0003_conversation_turn_attempts'),
    ]

    operations = [
        migrations.CreateModel(
            name='SavedReply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(help_text='What agents see in the list.', max_length=80)),
                ('shortcut', models.CharField(help_text='One short word in small letters. Typing a slash and this word puts the reply in.', max_length=24, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9-]{0,23}$', 'Use small letters, digits and hyphens only, such as on-our-way.')])),
                ('body', models.TextField(max_length=4000)),
                ('language', models.CharField(blank=True, help_text='The language it is written in, such as en. Empty: for every customer.', max_length=10, validators=[django.core.validators.RegexValidator('^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$', 'Write a language as en or en-GB.')])),
                ('active', models.BooleanField(default=True, help_text='Agents are offered active replies only.')),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name_plural': 'saved replies',
                'ordering': ['title'],
                'constraints': [models.UniqueConstraint(fields=('shortcut',), name='saved_reply_shortcut_is_unique', violation_error_message='Another saved reply has this shortcut.'), models.CheckConstraint(condition=models.Q(('shortcut__regex', '^[a-z0-9][a-z0-9-]{0,23}$')), name='saved_reply_shortcut_is_one_short_word'), models.CheckConstraint(condition=models.Q(('title__regex', '\\S')), name='saved_reply_has_a_title'), models.CheckConstraint(condition=models.Q(('body__regex', '\\S')), name='saved_reply_says_something'), models.CheckConstraint(condition=models.Q(('language__regex', '^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$')), name='saved_reply_language_is_a_code')],
            },
        ),
    ]
