"""The history of the office cannot be changed, and the page that reads it finds a day quickly."""

from django.db import migrations

# orders_refuse_change is orders' own: tests may TRUNCATE, nobody else may do anything but INSERT.
APPEND_ONLY = """
CREATE TRIGGER cagolab_auditentry_append_only BEFORE UPDATE OR DELETE ON cagolab_auditentry
    FOR EACH ROW EXECUTE FUNCTION orders_refuse_change();
CREATE TRIGGER cagolab_auditentry_no_truncate BEFORE TRUNCATE ON cagolab_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse_change();
"""
DROP_APPEND_ONLY = """
DROP TRIGGER cagolab_auditentry_no_truncate ON cagolab_auditentry;
DROP TRIGGER cagolab_auditentry_append_only ON cagolab_auditentry;
"""

# Both tables grow in the order of time: a block range index of a few pages finds a day among a million rows.
DATES = """
CREATE INDEX orders_orderchange_changed_at_brin ON orders_orderchange USING brin (changed_at)
    WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX payments_operation_started_at_brin ON payments_operation USING brin (started_at)
    WITH (pages_per_range = 32, autosummarize = on);
"""
DROP_DATES = """
DROP INDEX payments_operation_started_at_brin;
DROP INDEX orders_orderchange_changed_at_brin;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cagolab", "0001_initial"),
        ("orders", "0003_search_history_counts"),
        ("payments", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(APPEND_ONLY, DROP_APPEND_ONLY),
        migrations.RunSQL(DATES, DROP_DATES),
    ]
