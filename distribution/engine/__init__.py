"""The routing engine: pure functions over facts and a snapshot. Standard library only: no clock, no chance, no I/O."""
