"""What touches the world: the journal, the service desk, the command line."""
