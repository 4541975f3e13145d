"""Programs that write pages and cells of the repository."""
