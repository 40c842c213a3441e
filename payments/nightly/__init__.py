"""What runs by itself at night: orders given up at the card page (PG-5, PG-6), deadlines of authorizations."""
