"""What a run leaves behind: the record, its renderings, and the manifest that closes the bundle."""
