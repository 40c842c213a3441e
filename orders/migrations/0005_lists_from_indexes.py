"""Lists choose and count their rows inside the indexes: what they filter by lies there too."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

LISTED = ['status', 'payment_provider', 'payment_kind', 'payment_status', 'payment_total', 'payment_method']
HELD = models.Q(('payment_status__in', ('AUTH', 'SAUTH')))


def listed(*fields, name):
    fields = [*fields, '-ordered_at', '-id']
    return models.Index(fields=fields, include=[each for each in LISTED if each not in fields], name=name)


def add(index):
    return AddIndexConcurrently(model_name='order', index=index)


def remove(name):
    return RemoveIndexConcurrently(model_name='order', name=name)


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0004_daily_sales'),
    ]

    operations = [
        add(listed(name='order_listed')),
        remove('order_newest'),
        add(listed('status', name='order_status_listed')),
        remove('order_status_newest'),
        add(listed('payment_status', name='order_payment_status_listed')),
        remove('order_payment_status_newest'),
        add(listed('payment_kind', name='order_payment_kind_listed')),
        add(
            models.Index(
                fields=['-ordered_at', '-id'],
                include=['payment_deadline', 'status', 'payment_provider', 'payment_kind'],
                condition=HELD,
                name='order_held_listed',
            )
        ),
        add(
            models.Index(
                fields=['paid_at'],
                include=['ordered_at', 'id', 'status'],
                condition=models.Q(('paid_at__isnull', False)),
                name='order_paid_listed',
            )
        ),
        remove('order_paid_at'),
        add(
            models.Index(
                fields=['delivery_date'],
                include=['ordered_at', 'id', 'status'],
                condition=models.Q(('delivery_date__isnull', False)),
                name='order_delivery_listed',
            )
        ),
        remove('order_delivery_date'),
        add(
            models.Index(
                fields=['updated_at'], include=['ordered_at', 'id', 'status'], name='order_updated_listed'
            )
        ),
        remove('order_updated_at'),
        add(
            models.Index(
                fields=['payment_total'],
                include=['ordered_at', 'id', 'status', 'payment_provider'],
                name='order_payment_total_listed',
            )
        ),
        remove('order_payment_total'),
    ]
