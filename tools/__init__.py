"""Programs that keep the project's documents true; no part of what is installed."""
