"""Measures: counts over ranks, each with n and a 95 % interval."""
