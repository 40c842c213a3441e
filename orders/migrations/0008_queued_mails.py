"""The minute job finds the mails that wait without reading those that were sent."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Concurrently: the shop goes on sending meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0007_exports'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='sentmail',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['id'], name='sentmail_queued'),
        ),
    ]
