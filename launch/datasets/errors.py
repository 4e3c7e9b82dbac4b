"""What a data set at the door may be refused for."""


class DatasetError(ValueError):
    """One line that names the file or folder, the line or field, and what was expected."""
