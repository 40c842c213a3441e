"""Search within a field has grams that know their field, and the newest texts are read from an index that holds them.

`phone=jp` read nearly all texts: "jp" stands in nearly all of them, though never in a phone number.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

# No row of an index may have more than 2,704 bytes; orders.search_text writes none as long since.
LONG_TEXTS = """
UPDATE orders_ordersearch SET text = array_to_string(
    ARRAY(
        SELECT left(words, 105) FROM string_to_table(text, E'\\x1f') WITH ORDINALITY AS field(words, number)
        ORDER BY number
    ),
    E'\\x1f'
) WHERE octet_length(text) > 2500
"""

# One and two characters behind the number of their field, as SearchField counts; the number of the order, which is
# asked for otherwise, is left out.
GRAMS = """
CREATE FUNCTION orders_field_grams(t text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ARRAY(
        SELECT number || gram
        FROM string_to_table(t, E'\\x1f') WITH ORDINALITY AS field(words, number),
            unnest(string_to_array(words, NULL), (string_to_array(words, NULL))[2:]) AS pair(a, b),
            unnest(ARRAY[a, a || b]) AS gram
        WHERE number > 1 AND gram IS NOT NULL
    )
$$;
"""

# Of a page that everybody may see, texts and orders are read from the index alone. VACUUM says so of pages, and by itself
# comes only when a fifth of a table is new: of a million orders that is the year that operators look at.
VACUUM_SOONER = """
ALTER TABLE orders_ordersearch SET (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 5000
);
ALTER TABLE orders_order SET (
    autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02
);
"""
VACUUM_AS_OTHERS = """
ALTER TABLE orders_ordersearch RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_insert_threshold);
ALTER TABLE orders_order RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_scale_factor);
"""


class Migration(migrations.Migration):

    # Concurrently: the shop goes on selling meanwhile.
    atomic = False

    dependencies = [
        ('orders', '0018_method_listed'),
    ]

    operations = [
        migrations.RunSQL(LONG_TEXTS, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name='ordersearch',
            index=models.Index(
                fields=['-ordered_at', '-order'], include=['text'], name='ordersearch_texts_by_date'
            ),
        ),
        RemoveIndexConcurrently(model_name='ordersearch', name='ordersearch_newest'),
        migrations.RunSQL(GRAMS, 'DROP FUNCTION orders_field_grams(text)'),
        migrations.RunSQL(
            'CREATE INDEX CONCURRENTLY ordersearch_field_grams ON orders_ordersearch'
            ' USING gin (orders_field_grams(text)) WITH (fastupdate = off)',
            'DROP INDEX CONCURRENTLY ordersearch_field_grams',
        ),
        migrations.RunSQL(VACUUM_SOONER, VACUUM_AS_OTHERS),
        # How common the new grams are.
        migrations.RunSQL('VACUUM (ANALYZE) orders_ordersearch', migrations.RunSQL.noop),
    ]
