"""The process, clause by clause: what each clause asks for, and what it refuses."""
