"""The page: what a visitor sees and can do. `build` puts it, and the pictures it shows, on an application."""

from launch.dashboard.pages.build import build

__all__ = ["build"]
