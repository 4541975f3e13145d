"""What Sphinx runs while it builds the site."""
