"""The index of お問い合わせ番号 holds what a list sorts by: of the thousands whose number begins alike each was read before."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0014_days_listed'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(
                fields=['tracking_number'],
                condition=~models.Q(tracking_number=''),
                opclasses=['text_pattern_ops'],
                include=['ordered_at', 'id', 'status'],
                name='order_tracking_listed',
            ),
        ),
        RemoveIndexConcurrently(model_name='order', name='order_tracking_number'),
    ]
