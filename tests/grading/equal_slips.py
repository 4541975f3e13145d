"""Slips that change nothing: a solution with one of them is as right as without it. Exercise, slip, reason."""

EQUAL: dict[str, dict[str, str]] = {}
