-- The product's orders, whole rows, with the indexes that Django makes for the model by itself. In one transaction:
-- what is there is complete.
BEGIN;
CREATE TABLE rival_order_VARIANT (LIKE orders_order INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO rival_order_VARIANT SELECT * FROM orders_order;
ALTER TABLE rival_order_VARIANT ADD PRIMARY KEY (id), ADD UNIQUE (number);
CREATE INDEX ON rival_order_VARIANT (number varchar_pattern_ops);
CREATE INDEX ON rival_order_VARIANT (customer_id);
CREATE INDEX ON rival_order_VARIANT (payment_method_id);
COMMIT;
