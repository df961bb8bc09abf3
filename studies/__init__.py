"""Studies: attack × training × measure on real and generated pairs; they use the public API only."""
