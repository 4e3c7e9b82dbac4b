"""The parts of the documents that are generated: `python -m launch.reference` writes them into docs/ anew."""
