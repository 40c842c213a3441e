"""How notices and the person's list find operations, built while the shop goes on charging."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('payments', '0008_begin_by_request'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='operation',
            index=GinIndex(
                condition=models.Q(('progress', {}), _negated=True),
                fields=['progress'],
                name='operation_progress',
                opclasses=['jsonb_path_ops'],
            ),
        ),
        AddIndexConcurrently(
            model_name='operation',
            index=models.Index(
                condition=models.Q(('state', 'contradicted')),
                fields=['-started_at'],
                name='operation_contradicted',
            ),
        ),
    ]
