"""Speed and memory of every hot path, beside its limit and its peers, in the same run."""
