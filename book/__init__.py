"""Builds the course: lists its pages, writes what is generated, makes the site, and looks at it in a browser."""
