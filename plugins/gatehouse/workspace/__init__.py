"""One workspace on both planes: how it starts, in Coder and in the cluster, and what is checked out in it."""
