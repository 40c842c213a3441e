"""The days of 入金日, 更新日 and お届け日 lie in the index by 受注日: a long range of them is walked through there, where
each order had to be read before."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0013_history_by_time'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(
                fields=['-ordered_at', '-id'],
                include=[
                    'status', 'payment_provider', 'payment_kind', 'payment_status', 'payment_total', 'payment_method',
                    'paid_at', 'updated_at', 'delivery_date',
                ],
                name='order_days_listed',
            ),
        ),
        RemoveIndexConcurrently(model_name='order', name='order_listed'),
    ]
