"""差異確認: our record of payments against the provider's, every night and on demand (X-4)."""
