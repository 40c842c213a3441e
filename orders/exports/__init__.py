"""Exports: everything a list has found, written to a file in the background (X-3, CC-1).

The rows are frozen at the click, written chunk by chunk by workers that are only rung, and fetched later by
whoever asked for them. The kinds of file register themselves.
"""
