"""What several SDKs share because one generator writes them."""
