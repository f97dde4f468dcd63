"""The first edition's modules, until the lessons that need them are replaced."""
