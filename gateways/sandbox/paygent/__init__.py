"""Paygent's side of the wire (module type, telegrams)."""
