"""What the order tables need beyond columns: gram indexes, append-only rows, and counts kept by triggers."""

from django.db import migrations

# One and two characters for short terms, three for longer ones. IMMUTABLE, so that they can be indexed.
# Pieces that hold the separator (U+001F) would never be asked for. Repeats are left in: GIN drops them, and
# cheaply. Characters are split once and zipped, because substr() walks the text from its start each time.
GRAMS = """
CREATE FUNCTION orders_short_grams(t text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT string_to_array(translate(t, E'\\x1f', ''), NULL) || ARRAY(
        SELECT a || b
        FROM unnest(string_to_array(t, NULL), (string_to_array(t, NULL))[2:]) AS pair(a, b)
        WHERE a <> E'\\x1f' AND b <> E'\\x1f'
    )
$$;
CREATE FUNCTION orders_long_grams(t text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ARRAY(
        SELECT a || b || c
        FROM unnest(
            string_to_array(t, NULL), (string_to_array(t, NULL))[2:], (string_to_array(t, NULL))[3:]
        ) AS triple(a, b, c)
        WHERE a <> E'\\x1f' AND b <> E'\\x1f' AND c <> E'\\x1f'
    )
$$;
CREATE INDEX ordersearch_short_grams ON orders_ordersearch
    USING gin (orders_short_grams(text)) WITH (fastupdate = off);
CREATE INDEX ordersearch_long_grams ON orders_ordersearch
    USING gin (orders_long_grams(text)) WITH (fastupdate = off);
"""
DROP_GRAMS = """
DROP INDEX ordersearch_long_grams;
DROP INDEX ordersearch_short_grams;
DROP FUNCTION orders_long_grams(text);
DROP FUNCTION orders_short_grams(text);
"""

# Tests empty their database by TRUNCATE; nobody else may.
APPEND_ONLY = """
CREATE FUNCTION orders_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
""" + "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION orders_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse_change();
"""
    for table in ("orders_orderchange", "orders_stockentry", "orders_pointentry")
)
DROP_APPEND_ONLY = "".join(
    f"""
DROP TRIGGER {table}_no_truncate ON {table};
DROP TRIGGER {table}_append_only ON {table};
"""
    for table in ("orders_orderchange", "orders_stockentry", "orders_pointentry")
) + "DROP FUNCTION orders_refuse_change();"

# Two counter rows under many writers deadlock; rows that are only inserted do not. A minute job folds them.
COUNTS = """
CREATE FUNCTION orders_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders_countdelta (dimension, value, change)
        SELECT 'status', status::text, count(*) FROM added GROUP BY status
        UNION ALL
        SELECT 'payment_status', payment_status, count(*) FROM added WHERE payment_status <> ''
        GROUP BY payment_status;
    RETURN NULL;
END
$$;
CREATE FUNCTION orders_count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders_countdelta (dimension, value, change)
        SELECT 'status', status::text, -count(*) FROM removed GROUP BY status
        UNION ALL
        SELECT 'payment_status', payment_status, -count(*) FROM removed WHERE payment_status <> ''
        GROUP BY payment_status;
    RETURN NULL;
END
$$;
CREATE FUNCTION orders_count_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders_countdelta (dimension, value, change)
        SELECT dimension, value, sum(change) FROM (
            SELECT 'status' AS dimension, status::text AS value, 1 AS change FROM added
            UNION ALL SELECT 'status', status::text, -1 FROM removed
            UNION ALL SELECT 'payment_status', payment_status, 1 FROM added WHERE payment_status <> ''
            UNION ALL SELECT 'payment_status', payment_status, -1 FROM removed WHERE payment_status <> ''
        ) AS moves GROUP BY dimension, value HAVING sum(change) <> 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER orders_order_count_inserted AFTER INSERT ON orders_order
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orders_count_inserted();
CREATE TRIGGER orders_order_count_deleted AFTER DELETE ON orders_order
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION orders_count_deleted();
CREATE TRIGGER orders_order_count_updated AFTER UPDATE ON orders_order
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION orders_count_updated();
"""
DROP_COUNTS = """
DROP TRIGGER orders_order_count_updated ON orders_order;
DROP TRIGGER orders_order_count_deleted ON orders_order;
DROP TRIGGER orders_order_count_inserted ON orders_order;
DROP FUNCTION orders_count_updated();
DROP FUNCTION orders_count_deleted();
DROP FUNCTION orders_count_inserted();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_bulk")]

    operations = [
        migrations.RunSQL(GRAMS, DROP_GRAMS),
        migrations.RunSQL(APPEND_ONLY, DROP_APPEND_ONLY),
        migrations.RunSQL(COUNTS, DROP_COUNTS),
    ]
