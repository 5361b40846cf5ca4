"""Bad days: what goes wrong in a year of operating, played on the local stack and counted."""
