"""What needs doing is listed and counted inside its own index, also with the provider as a further condition.

The planner takes 対応状況 and 決済状況 to be independent of each other and expects many such orders; without
these columns it took an index over all orders instead.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

_LISTED = (
    'status', 'payment_provider', 'payment_kind', 'payment_status', 'payment_total', 'payment_method',
    'paid_at', 'updated_at', 'delivery_date',
)
_LIVE = (
    'AUTH', 'CAPTURE', 'PAYSTART', 'PAYSUCCESS', 'REQCANCEL', 'REQCHANGE', 'REQSALES', 'REQSUCCESS', 'SALES', 'SAUTH'
)


def _listed(name: str, condition: models.Q) -> AddIndexConcurrently:
    fields = ['-ordered_at', '-id']
    index = models.Index(fields=fields, include=_LISTED, condition=condition, name=name)
    return AddIndexConcurrently(model_name='order', index=index)


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0009_list_by_provider_and_deadline'),
    ]

    operations = [
        _listed('order_open_listed', models.Q(('payment_is_open', True))),
        _listed(
            'order_differing_listed',
            models.Q(
                ('payment_status__in', _LIVE),
                models.Q(('payment_amount', models.F('payment_total')), _negated=True),
            ),
        ),
        _listed('order_live_listed', models.Q(('payment_status__in', _LIVE), ('status__in', [3, 9]))),
        _listed('order_uncaptured_listed', models.Q(('payment_status__in', ('AUTH', 'SAUTH')), ('status', 5))),
        RemoveIndexConcurrently(model_name='order', name='order_payment_open'),
        RemoveIndexConcurrently(model_name='order', name='order_amount_differs'),
        RemoveIndexConcurrently(model_name='order', name='order_cancelled_live'),
        RemoveIndexConcurrently(model_name='order', name='order_shipped_uncaptured'),
    ]
