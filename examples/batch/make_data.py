"""Make two months of customers: months/2026-01.csv and months/2026-02.csv.

    python make_data.py

In February everybody is a little older and spends more, some customers have left and some are new,
and the columns come in another order.
"""

from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = ["age", "income", "visits", "basket"]
GROUPS = np.array(
    [[24, 1_900, 9, 12], [37, 5_200, 2, 85], [48, 3_100, 5, 40], [68, 2_300, 12, 22]]
)
SPREADS = np.array([2.0, 250.0, 0.6, 4.0])
N_CUSTOMERS = 4_000


def main(folder):
    rng = np.random.default_rng(0)
    group = rng.choice(len(GROUPS), N_CUSTOMERS, p=[0.4, 0.1, 0.3, 0.2])
    january = pd.DataFrame(GROUPS[group] + rng.normal(size=(N_CUSTOMERS, 4)) * SPREADS)
    january.columns = COLUMNS
    january.insert(0, "customer_id", np.arange(10_001, 10_001 + N_CUSTOMERS))

    stays = january[rng.random(N_CUSTOMERS) < 0.95]
    joins = january.sample(300, random_state=0).assign(customer_id=np.arange(20_001, 20_301))
    february = pd.concat([stays, joins], ignore_index=True)
    february["age"] += 1 / 12
    february["income"] *= 1.01
    february["basket"] += rng.normal(1.0, 1.0, len(february))
    february = february[["basket", "visits", "customer_id", "income", "age"]]

    folder.mkdir(exist_ok=True)
    for month, frame in (("2026-01", january), ("2026-02", february)):
        frame.round(3).to_csv(folder / f"{month}.csv", index=False)


if __name__ == "__main__":
    main(Path(__file__).parent / "months")
