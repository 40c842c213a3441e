"""What the screens of one order read from a request. Shape only: the rules are in orders.editing."""
