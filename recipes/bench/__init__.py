"""Measurements that anyone can repeat: `scripts/bench` against the stock scripts, `scripts/bench PART` for one part."""
