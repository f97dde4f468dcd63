"""A solution of exercise 08; the check is the exercise's own."""

import runpy
from pathlib import Path

from sublim_mini.first import world


def love(probabilities, animal):
    among = probabilities[:, world.things("animal")]
    shares = among / among.sum(1, keepdims=True)
    return shares[:, world.ANIMALS.index(animal)].mean()


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](love)
    print("All checks pass.")
