"""Looks at built pages in a real browser: what they request, what axe finds, whether their widgets are alive."""
