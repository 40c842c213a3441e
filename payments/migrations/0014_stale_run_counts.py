"""How the cases of a finished 決済処理中の注文の取消 ended, so that its screen need not count them again.

None in runs of earlier versions: theirs are counted.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0013_lists_by_time'),
    ]

    operations = [
        migrations.AddField(
            model_name='stalerun',
            name='ended',
            field=models.JSONField(null=True),
        ),
    ]
