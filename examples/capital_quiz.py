"""A DSPy agent with a tool, evaluated over examples."""

# pyright: basic, reportMissingImports=false
# DSPy is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import dspy

CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid"}


class Capital(dspy.Signature):
    """Name the capital of a country. Look it up."""

    country: str = dspy.InputField()
    capital: str = dspy.OutputField()


def look_up(country: str) -> str:
    """Look up the capital of a country."""
    return CAPITALS.get(country, "unknown")


class Quiz(dspy.Module):
    """An agent that looks the capital up, and a step that phrases it."""

    def __init__(self) -> None:
        super().__init__()
        self.agent = dspy.ReAct(Capital, tools=[look_up], max_iters=3)
        self.phrase = dspy.Predict("country, capital -> sentence")

    def forward(self, country: str) -> dspy.Prediction:
        """Answer for one country."""
        found = self.agent(country=country)
        phrased = self.phrase(country=country, capital=found.capital)
        return dspy.Prediction(capital=found.capital, sentence=phrased.sentence)


def correct(example: dspy.Example, prediction: dspy.Prediction, trace=None) -> bool:
    """Compare the capitals."""
    return example.capital == prediction.capital


def main() -> None:
    """Evaluate the program."""
    dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", cache=False))
    examples = [
        dspy.Example(country=country, capital=capital).with_inputs("country")
        for country, capital in CAPITALS.items()
    ]
    evaluate = dspy.Evaluate(devset=examples, metric=correct, num_threads=2)
    print(f"{evaluate(Quiz()).score} % are correct.")


if __name__ == "__main__":
    main()
