"""What turns the API's description into Python. Not part of the package."""
