"""Tests on real files, real PostgreSQL servers and real processes."""
