"""Training: plain CLIP through one trainer, its constants and its log."""
