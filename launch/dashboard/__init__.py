"""The page on which one sees a run: live while it goes on, and again from its folder.

scene     what is looked at: a run folder, at a moment
views     from a scene to HTML and charts: pure functions
pages     NiceGUI: tabs, forms and buttons around the views
"""
