"""Tests that need neither a server nor a process of their own."""
