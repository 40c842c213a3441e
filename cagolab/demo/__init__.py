"""A shop to try things in: demo data, its logins, and the checkout that production does not have."""
