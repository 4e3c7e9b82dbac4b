"""From a scene to what is shown of it: HTML text and chart options. No NiceGUI here, no clock, no files.

All text that comes from outside is escaped here.
"""
