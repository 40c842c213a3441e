"""Sales per day, kept by triggers on the order table like the counts of 0003."""

from django.db import migrations, models


# Orders that are no sale: 注文取消し 3, 決済処理中 7, 購入処理中 8, 返品 9. The day is that of 受注日 in Tokyo.
# As with the counts, rows that are only inserted do not deadlock; a minute job folds them.
SALES = """
CREATE FUNCTION orders_sales_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders_salesdelta (day, orders, amount)
        SELECT (ordered_at AT TIME ZONE 'Asia/Tokyo')::date, count(*), sum(payment_total)
        FROM added WHERE status NOT IN (3, 7, 8, 9) GROUP BY 1;
    RETURN NULL;
END
$$;
CREATE FUNCTION orders_sales_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders_salesdelta (day, orders, amount)
        SELECT (ordered_at AT TIME ZONE 'Asia/Tokyo')::date, -count(*), -sum(payment_total)
        FROM removed WHERE status NOT IN (3, 7, 8, 9) GROUP BY 1;
    RETURN NULL;
END
$$;
CREATE FUNCTION orders_sales_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders_salesdelta (day, orders, amount)
        SELECT day, sum(orders), sum(amount) FROM (
            SELECT (ordered_at AT TIME ZONE 'Asia/Tokyo')::date AS day, 1 AS orders, payment_total AS amount
            FROM added WHERE status NOT IN (3, 7, 8, 9)
            UNION ALL
            SELECT (ordered_at AT TIME ZONE 'Asia/Tokyo')::date, -1, -payment_total
            FROM removed WHERE status NOT IN (3, 7, 8, 9)
        ) AS moves GROUP BY day HAVING sum(orders) <> 0 OR sum(amount) <> 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER orders_order_sales_inserted AFTER INSERT ON orders_order
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orders_sales_inserted();
CREATE TRIGGER orders_order_sales_deleted AFTER DELETE ON orders_order
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION orders_sales_deleted();
CREATE TRIGGER orders_order_sales_updated AFTER UPDATE ON orders_order
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION orders_sales_updated();
INSERT INTO orders_dailysales (day, orders, amount)
    SELECT (ordered_at AT TIME ZONE 'Asia/Tokyo')::date, count(*), sum(payment_total)
    FROM orders_order WHERE status NOT IN (3, 7, 8, 9) GROUP BY 1;
"""
DROP_SALES = """
DROP TRIGGER orders_order_sales_updated ON orders_order;
DROP TRIGGER orders_order_sales_deleted ON orders_order;
DROP TRIGGER orders_order_sales_inserted ON orders_order;
DROP FUNCTION orders_sales_updated();
DROP FUNCTION orders_sales_deleted();
DROP FUNCTION orders_sales_inserted();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0003_search_history_counts'),
    ]

    operations = [
        migrations.CreateModel(
            name='DailySales',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False)),
                ('orders', models.BigIntegerField()),
                ('amount', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='SalesDelta',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('orders', models.BigIntegerField()),
                ('amount', models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(SALES, DROP_SALES),
    ]
