from django.db import migrations, models

# From now on a case that has ended is counted by its run and goes.
COUNT = """
    UPDATE payments_reconciliationrun AS run
    SET equal = ended.equal, different = ended.different, unanswered = ended.unanswered,
        passed_over = ended.passed_over, listed = coalesce(run.planned, 0)
    FROM (SELECT run_id, count(*) FILTER (WHERE state = 'equal') AS equal,
                 count(*) FILTER (WHERE state = 'different') AS different,
                 count(*) FILTER (WHERE state = 'unanswered') AS unanswered,
                 count(*) FILTER (WHERE state = 'passed_over') AS passed_over
          FROM payments_reconciliationcase GROUP BY run_id) AS ended
    WHERE run.id = ended.run_id AND run.state = 'running'
"""
FORGET = "DELETE FROM payments_reconciliationcase WHERE state NOT IN ('waiting', 'claimed')"


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0010_no_demo_mark'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='reconciliationcase',
            name='reconciliationcase_state_known',
        ),
        migrations.RemoveIndex(
            model_name='reconciliationcase',
            name='reconciliationcase_by_state',
        ),
        migrations.RemoveIndex(
            model_name='reconciliationcase',
            name='reconciliationcase_waiting',
        ),
        migrations.AddField(
            model_name='reconciliationcase',
            name='rank',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='reconciliationrun',
            name='left_over',
            field=models.PositiveIntegerField(default=0, verbose_name='次回へ持ち越し'),
        ),
        migrations.AddField(
            model_name='reconciliationrun',
            name='listed',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='reconciliationrun',
            name='plan_from',
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunSQL([COUNT, FORGET], migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='reconciliationcase',
            name='state',
            field=models.CharField(choices=[('waiting', '待機中'), ('claimed', '照会中')], default='waiting', max_length=12),
        ),
        migrations.AddIndex(
            model_name='reconciliationcase',
            index=models.Index(condition=models.Q(('state', 'claimed')), fields=['run', 'id'], name='reconciliationcase_claimed'),
        ),
        migrations.AddIndex(
            model_name='reconciliationcase',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['run', 'rank', 'id'], name='reconciliationcase_next'),
        ),
        migrations.AddConstraint(
            model_name='reconciliationcase',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'claimed'])), name='reconciliationcase_state_known'),
        ),
        migrations.AddConstraint(
            model_name='reconciliationcase',
            constraint=models.UniqueConstraint(fields=('payment', 'run'), name='reconciliationcase_once_per_run'),
        ),
    ]
