"""The drawings of the documents, as plain SVG: readable in light and dark, and by screen readers."""
