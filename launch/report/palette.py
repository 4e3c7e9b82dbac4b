"""Colours of plots and pages."""

# Okabe and Ito's palette: distinguishable with colour-blind eyes, and in print.
CLASS_COLOURS = {
    "public": "#0072B2",
    "private": "#E69F00",
    "side": "#009E73",
    "pilots": "#56B4E9",
    "control": "#999999",
    "feedback": "#CC79A7",
}
INK = "#333333"
