"""An agent with two tools that plans a trip."""

from __future__ import annotations

import time

from house_agents import Agent

STATIONS = ("Milano", "Bern")


def get_weather(city: str) -> str:
    """Get the weather forecast for a city."""
    time.sleep(0.04)
    return f"Friday in {city}: sunny, 21 degrees"


def find_trains(origin: str, destination: str) -> str:
    """Find trains between two stations."""
    time.sleep(0.12)
    if origin not in STATIONS:
        raise LookupError(f"no station {origin}")
    return f"{origin} 09:25, {destination} 12:23"


def main() -> None:
    """Send one request and print the reply."""
    planner = Agent(
        "travel-planner",
        model="gpt-4o-mini",
        tools=[get_weather, find_trains],
        conversation="trip-to-bern",
    )
    print(planner.run("How do I get from Milan to Bern on Friday, and how is the weather there?"))


if __name__ == "__main__":
    main()
