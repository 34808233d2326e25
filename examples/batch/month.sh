#!/bin/sh
# One month: fit, register what fits to the month before, assign every customer.
#
#     sh month.sh months/2026-01.csv
#
# Killed at any place it can be started again with the same month: what is done stays, and is not
# done twice. The exit code is that of the command that failed.
set -eu
data=$1
sklearn-lloyd fit --config batch.toml "$data" --note "$(basename "$data")"
sklearn-lloyd predict --config batch.toml "$data"
