"""From a configuration to solutions: stages and the run."""
