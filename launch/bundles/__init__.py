"""Weight bundles: made from pre-trained or random weights, checked, and their model cards."""
