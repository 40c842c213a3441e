"""A provider's own list is counted inside indexes, also by amount and deadline, and begins with its payments.

It shows orders without a payment too, by their お支払方法. That stands in the indexes now, and in the one by provider
those orders come last: where many customers pay by 銀行振込, counting met all of them first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


def _listed(name, fields, include, condition=None):
    index = models.Index(fields=fields, include=include, condition=condition, name=name)
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
        _listed(
            'order_due_listed',
            ['payment_deadline', '-ordered_at', '-id'],
            ['status', 'payment_provider', 'payment_kind', 'payment_status', 'payment_method'],
            models.Q(('payment_status__in', ('AUTH', 'SAUTH'))),
        ),
        _listed(
            'order_total_listed',
            ['payment_total'],
            [
                'ordered_at', 'id', 'status', 'payment_provider', 'payment_kind', 'payment_status', 'payment_method',
            ],
        ),
        _listed('order_id_listed', ['id'], ['status', 'payment_provider', 'payment_method']),
        RemoveIndexConcurrently(model_name='order', name='order_provider_listed'),
        RemoveIndexConcurrently(model_name='order', name='order_deadline_listed'),
        RemoveIndexConcurrently(model_name='order', name='order_payment_total_listed'),
        RemoveIndexConcurrently(model_name='order', name='order_id_status'),
    ]
