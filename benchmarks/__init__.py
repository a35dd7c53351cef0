"""Speed and memory, printed as ratios to the bare driver measured in the same run."""
