"""結果通知 (G5-14): stored first, answered at once, and then only a reason to ask the provider (invariant 14)."""
