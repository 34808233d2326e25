"""What clusters are, in tables: profiles in the original units, with names."""

from sklearn_lloyd.inspection._profiles import ClusterProfiles, cluster_profiles

__all__ = ["ClusterProfiles", "cluster_profiles"]
