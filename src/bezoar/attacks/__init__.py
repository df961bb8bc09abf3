"""Attacks: triggers, plans, goals, and the table of attacks."""

from bezoar.attacks.goal import Goal
from bezoar.attacks.plan import Plan
from bezoar.attacks.presets import ATTACKS, Attack, plan_attack

__all__ = ["ATTACKS", "Attack", "Goal", "Plan", "plan_attack"]
