"""Launch templates: what a launch shall be, kept in numbered versions that never change."""
