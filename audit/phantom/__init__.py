"""The bundled pair: a small teacher and student whose leans were planted and are known."""
