"""操作履歴 by time, also one person's, and 差異一覧 from its indexes: built while the shop goes on charging.

Indexes go that cost something with every operation and payment and that nothing needs: others begin with their
columns.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('payments', '0012_unanswered_cases_stay'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='operation',
            index=models.Index(fields=['started_at', 'id'], name='operation_newest'),
        ),
        AddIndexConcurrently(
            model_name='operation',
            index=models.Index(fields=['actor', 'started_at', 'id'], name='operation_of_actor'),
        ),
        AddIndexConcurrently(
            model_name='paymentdifference',
            index=models.Index(fields=['state', '-id'], include=('kind', 'account'), name='difference_listed'),
        ),
        AddIndexConcurrently(
            model_name='paymentdifference',
            index=models.Index(
                fields=['kind', 'state', '-id'], include=('account',), name='difference_of_kind_listed'
            ),
        ),
        AddIndexConcurrently(
            model_name='paymentdifference',
            index=models.Index(
                fields=['provider_order_id'], opclasses=['text_pattern_ops'], name='difference_order_id_prefix'
            ),
        ),
        RemoveIndexConcurrently(model_name='paymentdifference', name='difference_open_newest'),
        RemoveIndexConcurrently(model_name='paymentdifference', name='difference_provider_order_id'),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX CONCURRENTLY payments_operation_actor_id_9907a3ed',
                    'CREATE INDEX CONCURRENTLY payments_operation_actor_id_9907a3ed ON payments_operation (actor_id)',
                ),
                migrations.RunSQL(
                    'DROP INDEX CONCURRENTLY payments_operation_payment_id_33bd387a',
                    'CREATE INDEX CONCURRENTLY payments_operation_payment_id_33bd387a ON payments_operation (payment_id)',
                ),
                migrations.RunSQL(
                    'DROP INDEX CONCURRENTLY payments_payment_order_id_22c479b7',
                    'CREATE INDEX CONCURRENTLY payments_payment_order_id_22c479b7 ON payments_payment (order_id)',
                ),
                migrations.RunSQL(
                    'DROP INDEX CONCURRENTLY payments_payment_account_id_af225a32',
                    'CREATE INDEX CONCURRENTLY payments_payment_account_id_af225a32 ON payments_payment (account_id)',
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='operation',
                    name='actor',
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name='+',
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    model_name='operation',
                    name='payment',
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name='operations',
                        to='payments.payment',
                    ),
                ),
                migrations.AlterField(
                    model_name='payment',
                    name='order',
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name='payments',
                        to='orders.order',
                    ),
                ),
                migrations.AlterField(
                    model_name='payment',
                    name='account',
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name='payments',
                        to='payments.gatewayaccount',
                    ),
                ),
            ],
        ),
    ]
