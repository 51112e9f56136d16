"""Tests of the checks of labelled rows, a module for each module of `tasks.checks`."""
