"""決済処理中の注文の取消 finds payments that were taken for orders that were given up by the copy on the order, which is of
its newest payment. Where there were several attempts it looks further: a small index tells of which orders.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('payments', '0014_stale_run_counts'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='payment',
            index=models.Index(
                fields=['order'], condition=models.Q(attempt__gt=1), name='payment_of_further_attempt'
            ),
        ),
    ]
