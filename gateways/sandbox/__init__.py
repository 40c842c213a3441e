"""The providers' side of the wire, for demo, training and tests (requirement X-7).

One HTTP server with one room per provider. It shares no code with the adapters: what both must agree on is
the protocol, and each side reads it for itself. See `control` for the JSON interface that drives it.
"""
