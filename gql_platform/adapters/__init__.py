"""What stands between the ports and the systems outside; a module or package for each system."""
