"""Nothing ever marked a payment as one for show: the demo sells at the sandbox, as a shop does at its provider."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0009_operation_indexes'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='payment',
            name='is_demo',
        ),
    ]
