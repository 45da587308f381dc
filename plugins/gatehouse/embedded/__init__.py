"""A development platform on one machine: git host, Coder, Kubernetes, Argo CD and an ingress on loopback.

It does real work (git clones, processes, served pages) and imitates the wire of the four systems, quirks
included. It shares no code with the clients it is used to test.
"""
