-- What the lists of Django's admin sort and filter by.
CREATE INDEX ON rival_order_tuned (ordered_at DESC, id DESC);
CREATE INDEX ON rival_order_tuned (status, ordered_at DESC, id DESC);
CREATE INDEX ON rival_order_tuned (payment_provider, ordered_at DESC, id DESC);
