"""Starts the product on one machine: real servers from pip wheels, the sandbox, workers and web, and stops them."""
