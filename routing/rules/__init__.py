"""Decision tables: checked, compiled, evaluated, explained, published. Only this package imports zen."""
