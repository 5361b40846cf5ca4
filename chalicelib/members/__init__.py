"""People who switched a programme on: activation, links, services, leaving."""
