"""Endpoints' JSON: a body goes in and a request comes out; fills go in, an answer comes out."""
