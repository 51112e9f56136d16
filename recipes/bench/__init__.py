"""Measurements that anyone can repeat: `scripts/bench` compares ways to train, `scripts/bench PART` measures a part."""
