"""Runs a suite as a Job inside the cluster, and brings its evidence back."""
