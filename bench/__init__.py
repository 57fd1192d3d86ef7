"""The benchmark: what a call costs, measured beside alternatives in the same run and judged against the goals."""
