"""操作履歴 by time, also one person's: built while the shop goes on writing.

The index of `actor` alone goes; the new one begins with it.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('orders', '0012_member_search'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='orderchange',
            index=models.Index(fields=['changed_at', 'id'], name='change_newest'),
        ),
        AddIndexConcurrently(
            model_name='orderchange',
            index=models.Index(fields=['actor', 'changed_at', 'id'], name='change_of_actor'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX CONCURRENTLY orders_orderchange_actor_id_3435535d',
                    'CREATE INDEX CONCURRENTLY orders_orderchange_actor_id_3435535d ON orders_orderchange (actor_id)',
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='orderchange',
                    name='actor',
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name='+',
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
