"""Knowledge graphs as training examples: what an entity is, and how two of them are related (PMC-LLaMA's MedC-I)."""
