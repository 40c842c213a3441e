"""操作履歴 of the office by time, also one person's; the block range indexes of the other two go, since both tables have
an index by time now, which leads to a page as well as to a day."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('cagolab', '0003_initial_password'),
        ('orders', '0013_history_by_time'),
        ('payments', '0013_lists_by_time'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(fields=['at', 'id'], name='audit_newest'),
        ),
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(fields=['actor', 'at', 'id'], name='audit_of_actor_newest'),
        ),
        RemoveIndexConcurrently(model_name='auditentry', name='audit_of_actor'),
        RemoveIndexConcurrently(model_name='auditentry', name='audit_at'),
        migrations.RunSQL(
            'DROP INDEX CONCURRENTLY orders_orderchange_changed_at_brin',
            'CREATE INDEX CONCURRENTLY orders_orderchange_changed_at_brin ON orders_orderchange'
            ' USING brin (changed_at) WITH (pages_per_range = 32, autosummarize = on)',
        ),
        migrations.RunSQL(
            'DROP INDEX CONCURRENTLY payments_operation_started_at_brin',
            'CREATE INDEX CONCURRENTLY payments_operation_started_at_brin ON payments_operation'
            ' USING brin (started_at) WITH (pages_per_range = 32, autosummarize = on)',
        ),
    ]
