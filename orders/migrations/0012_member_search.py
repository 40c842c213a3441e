"""会員の検索 by grams, as the orders' search: built while the shop goes on selling."""

from django.db import migrations

_HIRAGANA = "".join(chr(code) for code in (*range(0x3041, 0x3097), 0x309D, 0x309E))
_KATAKANA = "".join(chr(ord(character) + 0x60) for character in _HIRAGANA)
_LEFT_OUT = " \u3000-‐‑‒–—―−﹘﹣－⁃⸺⸻˗"

# What orders.search_text.normalise makes of ordinary text, field by field. A change of the one is a change of the other.
TEXT = f"""
CREATE FUNCTION orders_member_text(name text, kana text, email text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT translate(
        lower(normalize(name || E'\\x1f' || kana || E'\\x1f' || email, NFKC)),
        '{_HIRAGANA}{_LEFT_OUT}', '{_KATAKANA}'
    )
$$;
"""


def index(size):
    return migrations.RunSQL(
        f"CREATE INDEX CONCURRENTLY customer_{size}_grams ON orders_customer"
        f" USING gin (orders_{size}_grams(orders_member_text(name, kana, email))) WITH (fastupdate = off)",
        f"DROP INDEX CONCURRENTLY customer_{size}_grams",
    )


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('orders', '0011_bulk_word'),
    ]

    operations = [
        migrations.RunSQL(TEXT, "DROP FUNCTION orders_member_text(text, text, text)"),
        index("short"),
        index("long"),
    ]
