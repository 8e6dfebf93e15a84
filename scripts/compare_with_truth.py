"""Compare the EBVs of a results file with true breeding values.

Usage: python scripts/compare_with_truth.py RESULTS TRAIT TRUE_VALUES.csv
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

import breedeval as be


def main() -> None:
    results_path, trait, truth_path = sys.argv[1:]
    ebv = be.open_results(results_path).ebv(trait)
    truth = pd.read_csv(truth_path, dtype={"id": str})
    both = ebv.merge(truth, on="id", how="inner", validate="one_to_one")
    columns = [("all animals", both)]
    if both["reliability"].notna().any():
        columns.append(("reliability 0.5 and above", both[both["reliability"] >= 0.5]))
    print(f"{'':28}{'animals':>10}{'correlation':>13}{'regression of true value on EBV':>34}")
    for name, part in columns:
        if len(part) < 2:
            continue
        correlation = np.corrcoef(part["ebv"], part["breeding_value"])[0, 1]
        slope = np.polyfit(part["ebv"], part["breeding_value"], 1)[0]
        print(f"{name:28}{len(part):>10,}{correlation:>13.3f}{slope:>34.3f}")


if __name__ == "__main__":
    main()
