# The code in the pages is tested; what the build writes beside them is not.
collect_ignore_glob = ["_build/*", "auto_examples/*", "generated/*"]
