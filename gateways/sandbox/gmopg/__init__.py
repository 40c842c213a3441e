"""GMO-PG's 「PGマルチペイメントサービス」, protocol type (`*.idPass`), as the shop sees it."""
