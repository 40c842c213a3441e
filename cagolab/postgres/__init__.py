"""Django's PostgreSQL engine, with two things done without a detour; named as ENGINE by cagolab.config."""
