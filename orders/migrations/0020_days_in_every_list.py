"""Days in every list: 入金日, 更新日 and お届け日 lie in the indexes by 対応状況, お支払方法, 決済状況 and provider too, so that
such a list between such days reads no rows but its page's. And indexes of the few orders that were paid, changed or
delivered far from 受注日: of all others a list between such days finds its rows around them. Statistics tell PostgreSQL
that they are few. The small index by 与信期限 knows お問い合わせ番号 and amounts as well.
"""

from datetime import timedelta

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.lookups import GreaterThan, LessThan

_LISTED = (
    'status', 'payment_provider', 'payment_kind', 'payment_status', 'payment_total', 'payment_method',
    'paid_at', 'updated_at', 'delivery_date',
)
_ORDERED_ON = models.Func(
    models.F('ordered_at'),
    template="(%(expressions)s AT TIME ZONE 'Asia/Tokyo')::date",
    output_field=models.DateField(),
)


def _others(*names):
    return tuple(each for each in _LISTED if each not in names)


def _of(name, column):
    index = models.Index(
        fields=[column, '-ordered_at', '-id'], include=_others(column.removeprefix('-')), name=f'order_of_{name}'
    )
    return AddIndexConcurrently(model_name='order', index=index)


def _far(name, column, ordered):
    since = models.F(column) - ordered
    index = models.Index(
        fields=[column],
        include=['ordered_at', 'id', *_others(column)],
        condition=models.Q(LessThan(since, models.Value(timedelta(days=-1))))
        | models.Q(GreaterThan(since, models.Value(timedelta(days=60)))),
        name=f'order_far_{name}',
    )
    return AddIndexConcurrently(model_name='order', index=index)


def _days(name, since):
    return migrations.RunSQL(
        f'CREATE STATISTICS order_far_{name} ON ({since}) FROM orders_order', f'DROP STATISTICS order_far_{name}'
    )


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0019_search_within_fields'),
    ]

    operations = [
        _of('status', 'status'),
        _of('method', 'payment_method'),
        _of('payment_status', 'payment_status'),
        _of('payment_kind', 'payment_kind'),
        # Descending: a provider's own list begins with its payments, not with all orders that have none.
        _of('provider', '-payment_provider'),
        _far('paid', 'paid_at', models.F('ordered_at')),
        _far('updated', 'updated_at', models.F('ordered_at')),
        _far('delivery', 'delivery_date', _ORDERED_ON),
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(
                fields=['payment_deadline'],
                include=['ordered_at', 'id', *_LISTED, 'payment_amount', 'payment_is_open', 'tracking_number'],
                condition=models.Q(payment_status__in=('AUTH', 'SAUTH')),
                name='order_held_by_deadline',
            ),
        ),
        _days('paid', 'paid_at - ordered_at'),
        _days('updated', 'updated_at - ordered_at'),
        _days(
            'delivery', "interval '1 day' * (delivery_date - (ordered_at AT TIME ZONE 'Asia/Tokyo')::date)"
        ),
        migrations.RunSQL('ANALYZE orders_order', migrations.RunSQL.noop),
        RemoveIndexConcurrently(model_name='order', name='order_by_deadline'),
        RemoveIndexConcurrently(model_name='order', name='order_status_listed'),
        RemoveIndexConcurrently(model_name='order', name='order_method_listed'),
        RemoveIndexConcurrently(model_name='order', name='order_payment_status_listed'),
        RemoveIndexConcurrently(model_name='order', name='order_payment_kind_listed'),
        RemoveIndexConcurrently(model_name='order', name='order_of_provider_listed'),
    ]
