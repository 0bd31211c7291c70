"""The scalers behind the names in `bench.data.scaling`, and what each has learnt as JSON holds it."""
