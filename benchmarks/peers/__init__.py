"""Others who do the same, as their makers give them out."""
