"""Measures: counts over ranks, each with n, a 95 % interval and the whole protocol in words.

* One primitive, `best_rank`: a rate is the share of queries whose best acceptable answer is among the first k.
* Ranks start at 0 inside and at 1 wherever a reader sees them.
* Triggers are drawn on test pictures as a plan draws them on poisons: on the canvas, with the picture's key.
* A measure names what it asked (`queries`), among what (`gallery`), and how many answers counted (`acceptable`).
"""
