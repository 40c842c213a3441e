"""Lists of one お支払方法 have an index in their own order: a page of a rare one walked through all orders by date.

The index of `payment_method` alone goes; the new one begins with it.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0017_member_text'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(
                fields=['payment_method', '-ordered_at', '-id'],
                include=['status', 'payment_provider', 'payment_kind', 'payment_status', 'payment_total'],
                name='order_method_listed',
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX CONCURRENTLY orders_order_payment_method_id_532d9073',
                    'CREATE INDEX CONCURRENTLY orders_order_payment_method_id_532d9073'
                    ' ON orders_order (payment_method_id)',
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='order',
                    name='payment_method',
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name='orders',
                        to='orders.paymentmethod',
                        verbose_name='お支払方法',
                    ),
                ),
            ],
        ),
    ]
