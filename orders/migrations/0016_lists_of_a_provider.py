"""A provider's own list is counted inside indexes, and begins with its payments.

It shows orders without a payment too, by their お支払方法. That stands in the indexes now, and in the one by provider
those orders come last: where many customers pay by 銀行振込, counting met all of them first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


def _listed(name, fields, include):
    index = models.Index(fields=fields, include=include, name=name)
    return AddIndexConcurrently(model_name='order', index=index)


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0015_tracking_listed'),
    ]

    operations = [
        _listed(
            'order_of_provider_listed',
            ['-payment_provider', '-ordered_at', '-id'],
            ['status', 'payment_kind', 'payment_status', 'payment_total', 'payment_method'],
        ),
        _listed('order_id_listed', ['id'], ['status', 'payment_provider', 'payment_method']),
        RemoveIndexConcurrently(model_name='order', name='order_provider_listed'),
        RemoveIndexConcurrently(model_name='order', name='order_id_status'),
    ]
