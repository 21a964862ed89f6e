"""How functions of others get a stand-in of ours, in each class that has them, and get back."""
