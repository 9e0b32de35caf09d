"""A real model server on loopback: llama.cpp's own, with a tiny model made on the spot that says what it is told to."""
