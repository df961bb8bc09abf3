"""What a user asks for: one file a job, readable from top to bottom; jobs do not call one another."""
