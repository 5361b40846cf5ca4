"""Who takes part: programmes, connections, retailers, stores, tills, identifiers."""
