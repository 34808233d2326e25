"""
============================================================
Customer segments: from raw purchases to segments with names
============================================================

A shop wants to know what kinds of customers it has. It has a list of purchases: who, when, how
much. We make three numbers of each customer (how long ago the last purchase was, how many there
were, what one is worth), cluster them, and have :func:`~sklearn_lloyd.inspection.cluster_profiles`
say what the segments are: in days and dollars, with names.

The purchases are real: the CDNOW records (Fader and Hardie, Interfaces 31, 2001), all customers
who first bought from an online music shop in the first quarter of 1997, up to June 1998. They come
with the package `lifetimes`. The example needs pandas and matplotlib as well:
``pip install lifetimes pandas matplotlib``. It writes its picture to ``examples/output``, or to
the folder that you name on the command line.
"""

import sys
from importlib.metadata import distribution
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the picture goes to a file
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import ProfileDisplay, cluster_profiles
from sklearn_lloyd.model_selection import NClustersSearch

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

# %%
# The purchases
# -------------
#
# The records are a text file in the package, which we read where it is. Some purchases cost
# nothing (free samples); they are left out.

records = distribution("lifetimes").locate_file("lifetimes/datasets/CDNOW_master.txt")
purchases = pd.read_csv(records, sep=r"\s+", parse_dates=["date"], date_format="%Y%m%d")
purchases = purchases[purchases["dollar_value"] > 0]
first, last = purchases["date"].min().date(), purchases["date"].max().date()
print(f"{len(purchases)} purchases, from {first} to {last}:")
print(purchases.head(3).to_string(index=False))

# %%
# From purchases to customers
# ---------------------------
#
# Two purchases of one day count as one.

by_customer = purchases.groupby("customer_id")
customers = pd.DataFrame(
    {
        "days_silent": (purchases["date"].max() - by_customer["date"].max()).dt.days,
        "purchases": by_customer["date"].nunique(),
        "total_spend": by_customer["dollar_value"].sum(),
    }
)
customers["spend_per_purchase"] = customers["total_spend"] / customers["purchases"]
print(f"\n{len(customers)} customers:")
print(customers.describe().loc[["mean", "min", "50%", "max"]].round(1).to_string())

# %%
# The mean is far from the median: a few customers buy very much. K-means on such numbers would
# spend its clusters on them. So we take logarithms before we scale. The total is what the others
# multiply to, so the clustering does without it. It stays in the table, for the profiles.

log_scale = make_pipeline(
    FunctionTransformer(np.log1p, np.expm1, feature_names_out="one-to-one"), StandardScaler()
)
columns = make_column_transformer((log_scale, ["days_silent", "purchases", "spend_per_purchase"]))

# %%
# How many segments?
# ------------------
#
# Two clusters are those who came back and those who did not, which needs no clustering, so the
# search begins at three. It says how sure it is: these are slices of one cloud, no islands, so
# that the choice is ours, and three segments are few enough to remember.

pipeline = make_pipeline(columns, KMeans(n_init=10, random_state=0))
search = NClustersSearch(pipeline, n_clusters=range(3, 9), random_state=0).fit(customers)
print()
print(search.summary())
model = search.best_estimator_

# %%
# What the segments are
# ---------------------
#
# The clusterer sees scaled logarithms. The profiles are of the customers themselves.

profiles = cluster_profiles(model, customers)
print()
print(profiles)

# %%
# The same as a frame, with what the shop asks next: how much of the revenue is theirs?

table = profiles.to_frame()
revenue = table["total_spend"] * table["size"]
table.insert(4, "revenue", revenue / revenue.sum())
table = table.sort_values("revenue", ascending=False)
print()
print(
    table.drop(columns=["stands out", "exemplars"])
    .rename(columns={"spend_per_purchase": "per purchase"})
    .to_string(
        index=False,
        formatters={
            **dict.fromkeys(["share", "revenue"], "{:.0%}".format),
            **dict.fromkeys(["total_spend", "per purchase"], "${:.2f}".format),
            **dict.fromkeys(["days_silent", "purchases"], "{:.1f}".format),
        },
    )
)
best = table.iloc[0]
print(
    f'\n"{best["name"].capitalize()}": {best["share"]:.0%} of the customers bring '
    f"{best['revenue']:.0%} of the revenue."
)

# %%
# Who is typical
# --------------
#
# Exemplars are the customers nearest to the centre of their segment.

for name, rows in zip(profiles.names, profiles.exemplars, strict=True):
    print(f"\nTypical of {name!r}:")
    print(customers.iloc[rows].round(2).to_string())

# %%
# The profiles as a picture
# -------------------------
#
# Colours are differences from all customers, numbers are means in their own units.

display = ProfileDisplay.from_profiles(profiles)
display.figure_.savefig(folder / "customer_segments.png", dpi=100)
print(f"\nWrote {folder.resolve() / 'customer_segments.png'}")
