-- The same orders in oscar's tables: one line, both addresses and no account each.
SET search_path = oscar;
SET session_replication_role = replica;
INSERT INTO address_country (iso_3166_1_a2, iso_3166_1_a3, iso_3166_1_numeric, printable_name, name,
    display_order, is_shipping_country) VALUES ('JP', 'JPN', '392', 'Japan', 'Japan', 0, true);
INSERT INTO order_shippingaddress (id, title, first_name, last_name, line1, line2, line3, line4, state, postcode,
    search_text, phone_number, notes, country_id)
SELECT id, '', split_part(name, ' ', 2), split_part(name, ' ', 1), address, '', '', prefecture, '', postal_code,
    name || ' ' || address, '', '', 'JP' FROM public.orders_order;
INSERT INTO order_billingaddress (id, title, first_name, last_name, line1, line2, line3, line4, state, postcode,
    search_text, country_id)
SELECT id, '', split_part(name, ' ', 2), split_part(name, ' ', 1), address, '', '', prefecture, '', postal_code,
    name || ' ' || address, 'JP' FROM public.orders_order;
INSERT INTO order_order (id, number, currency, total_incl_tax, total_excl_tax, shipping_incl_tax,
    shipping_excl_tax, shipping_tax_code, shipping_method, shipping_code, status, guest_email, date_placed,
    billing_address_id, shipping_address_id, site_id, analytics_tracked)
SELECT id, number, 'JPY', total, total, 0, 0, '', '', '', status::text, email, ordered_at, id, id, 1, false
    FROM public.orders_order;
INSERT INTO order_line (id, partner_name, partner_sku, partner_line_reference, partner_line_notes, title, upc,
    quantity, line_price_incl_tax, line_price_excl_tax, line_price_before_discounts_incl_tax,
    line_price_before_discounts_excl_tax, unit_price_incl_tax, unit_price_excl_tax, tax_code,
    allocation_cancelled, num_allocated, status, order_id)
SELECT id, '', 'P' || id % 500, '', '', '商品' || id % 500, NULL, 1, total, total, total, total, total, total, '',
    false, 0, '', id FROM public.orders_order;
RESET session_replication_role;
