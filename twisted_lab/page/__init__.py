"""The page: what the bench shows in a browser, and the HTTP interface it stands on."""
