"""Servers that speak the forges' protocols over HTTP on loopback: no test needs the network."""
