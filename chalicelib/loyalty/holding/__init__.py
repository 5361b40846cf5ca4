"""Awards that a person looks at before they count."""
