"""Indexes of columns of which lists ask for a range hold what lists sort by and leave out: before, each of the
thousands of orders in a range was read.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

_HELD = [
    'status', 'payment_provider', 'payment_kind', 'payment_status', 'payment_total', 'payment_method', 'paid_at',
    'updated_at', 'delivery_date',
]


def _by(field, name, **how):
    include = ['ordered_at', 'id', *(each for each in _HELD if each != field)]
    return AddIndexConcurrently(model_name='order', index=models.Index(fields=[field], include=include, name=name, **how))


def _remove(name):
    return RemoveIndexConcurrently(model_name='order', name=name)


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0014_days_listed'),
    ]

    operations = [
        _by('payment_deadline', 'order_by_deadline', condition=models.Q(payment_status__in=('AUTH', 'SAUTH'))),
        _remove('order_deadline_listed'),
        _by('paid_at', 'order_by_paid', condition=models.Q(paid_at__isnull=False)),
        _remove('order_paid_listed'),
        _by('delivery_date', 'order_by_delivery', condition=models.Q(delivery_date__isnull=False)),
        _remove('order_delivery_listed'),
        _by('updated_at', 'order_by_updated'),
        _remove('order_updated_listed'),
        _by('payment_total', 'order_by_payment_total'),
        _remove('order_payment_total_listed'),
        _by(
            'tracking_number', 'order_by_tracking', condition=~models.Q(tracking_number=''), opclasses=['text_pattern_ops'],
        ),
        _remove('order_tracking_number'),
    ]
