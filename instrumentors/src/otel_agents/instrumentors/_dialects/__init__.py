"""Wire formats that more than one library speaks, as the conventions have them."""
