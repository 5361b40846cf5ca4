"""The register of everything stored, and the sweep that keeps its promises."""
