"""Readers of what annotation tools export: texts with character spans or labels, one module for each tool."""
