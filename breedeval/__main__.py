"""``python -m breedeval``."""

from breedeval.cli.main import run

if __name__ == "__main__":
    run()
