"""Lists of one provider, and of deadlines, choose and count their rows inside an index of their own."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0008_queued_mails'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(
                fields=['payment_provider', '-ordered_at', '-id'],
                include=['status', 'payment_kind', 'payment_status', 'payment_total', 'payment_method'],
                name='order_provider_listed',
            ),
        ),
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(
                fields=['payment_deadline', '-ordered_at', '-id'],
                include=['status', 'payment_provider', 'payment_kind', 'payment_status'],
                condition=models.Q(('payment_status__in', ('AUTH', 'SAUTH'))),
                name='order_deadline_listed',
            ),
        ),
        RemoveIndexConcurrently(model_name='order', name='order_deadline'),
        RemoveIndexConcurrently(model_name='order', name='order_held_listed'),
    ]
