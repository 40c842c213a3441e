"""Bulk runs: one engine for every act over many orders (G5-3, G5-11, X-3).

A run is previewed (frozen and judged), started once, worked off row by row from PostgreSQL, and can be
watched, stopped, downloaded and repeated for what failed. The kinds of act register themselves.
"""
