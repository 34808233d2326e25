"""
==========================================================
Stable segments: the same ids and names, month after month
==========================================================

A shop clusters its customers every quarter. K-means numbers its clusters as it finds them: what
was segment 0 in December may be segment 3 in March, and every table that holds a segment id is
wrong.
:func:`~sklearn_lloyd.tracking.align_clusters` finds each old segment in the new model, says which
are new or lost and how far each has moved, and its result makes a copy of the model with the old
ids.

The purchases are real: the CDNOW records (Fader and Hardie, Interfaces 31, 2001), as in
:doc:`customer_segments </auto_examples/customer_segments>`. The example needs pandas and
matplotlib as well: ``pip install lifetimes pandas matplotlib``. It writes its picture to
``examples/output``, or to the folder that you name on the command line.
"""

import sys
from importlib.metadata import distribution
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the picture goes to a file
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import cluster_profiles
from sklearn_lloyd.tracking import AlignmentDisplay, align_clusters, refit_clusters

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

# %%
# The customers, as they were on two days
# ---------------------------------------

records = distribution("lifetimes").locate_file("lifetimes/datasets/CDNOW_master.txt")
purchases = pd.read_csv(records, sep=r"\s+", parse_dates=["date"], date_format="%Y%m%d")
purchases = purchases[purchases["dollar_value"] > 0]


def customers_on(day):
    """How long ago the last purchase was, how many there were, what one is worth."""
    by_customer = purchases[purchases["date"] <= day].groupby("customer_id")
    table = pd.DataFrame(
        {
            "days_silent": (pd.Timestamp(day) - by_customer["date"].max()).dt.days,
            "purchases": by_customer["date"].nunique(),
        }
    )
    return table.assign(spend=by_customer["dollar_value"].sum() / table["purchases"])


december, march = customers_on("1997-12-31"), customers_on("1998-03-31")
print(f"Medians of {len(december)} customers in December, {len(march)} in March:")
print(pd.DataFrame({"December": december.median(), "March": march.median()}).T.to_string())

# %%
# December: the first model
# -------------------------
#
# We look at the profiles and give names, which from now on belong to the ids 0 to 4.


def fresh_model(n_clusters, random_state):
    return make_pipeline(
        FunctionTransformer(np.log1p, np.expm1, feature_names_out="one-to-one"),
        StandardScaler(),
        KMeans(n_clusters, n_init=10, random_state=random_state),
    )


first = fresh_model(5, random_state=0).fit(december)
table = cluster_profiles(first, december).to_frame()
print("\nDecember:")
print(table.drop(columns=["stands out", "exemplars"]).round(1).to_string(index=False))
names = {0: "came once", 1: "returning", 2: "regulars", 3: "came once, small", 4: "big baskets"}

# %%
# March: a refit from scratch, with one segment more
# --------------------------------------------------
#
# The scaler has learned other numbers, too. Centres are compared in December's units all the
# same: those of March go back to days, purchases and dollars, and through December's scaler.

second = fresh_model(6, random_state=1).fit(march)
alignment = align_clusters(second, first, X=march, X_reference=december)
print(f"\nMarch: {alignment}")

# %%
# The aligned copy
# ----------------
#
# Its clusters are in the order of their ids, which are in `cluster_ids_`; labels are numbers of
# rows of the centres, as ever in scikit-learn. The segment that is new has an id that none ever
# had. The regulars were split: who buys more often has the new id.

aligned = alignment.apply(second)
ids = aligned[-1].cluster_ids_
table = cluster_profiles(aligned, march).to_frame()
table.insert(0, "id", ids)
names[5] = "best customers"
print(table.drop(columns=["cluster", "stands out", "exemplars"]).round(1).to_string(index=False))

# %%
# What moved
# ----------
#
# A row for each id; `shift` is in spreads of the old segment.

table = alignment.to_frame()
print("\nDrift:")
print(table.round(2).to_string(index=False))

# %%
# The picture
# -----------
#
# On the left the old centres (rings) and the new ones (numbers); on the right, where the old model
# and where the new one puts the customers of March.

display = AlignmentDisplay.from_alignment(alignment, names=names)
display.figure_.savefig(folder / "stable_segments.png", dpi=100)
print(f"\nWrote {folder.resolve() / 'stable_segments.png'}")

# %%
# June: a refit from the old centres
# ----------------------------------
#
# :func:`~sklearn_lloyd.tracking.refit_clusters` fits the transformers anew, brings the old centres
# to their units and starts there. So numbers stay in most cases; the alignment makes sure of it,
# and goes on with the ids that the aligned copy has.

june = customers_on("1998-06-30")
third = refit_clusters(aligned, june)
print(f"\nJune: {align_clusters(third, aligned, X=june, X_reference=march)}")
