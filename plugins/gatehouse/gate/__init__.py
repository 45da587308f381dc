"""Turns evidence into one verdict, and fails closed."""
