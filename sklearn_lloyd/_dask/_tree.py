"""What a pass does with blocks, and the order in which what they give is added up.

That is a tree over the numbers of the blocks. It depends neither on the workers nor on which of
them has which block, so that results do not either. None of it knows of dask.
"""

from __future__ import annotations

from functools import reduce

# Children of a node of the tree: neighbours in the order of the blocks. More make fewer levels,
# and more sums that the client adds; up to that many blocks the order is that of the core.
FAN_IN = 32


def run_part(function, numbers, blocks, weights, args, n_blocks, add):
    """Call ``function(number, block, weights, args)`` on some blocks, and add up what can be.

    Returns
    -------
    nodes : dict of (level, number of the node) to a sum, or to None for nothing to add
        Level 0 are the blocks. None for `add`: nothing is added up.
    """
    weights = [None] * len(blocks) if weights is None else weights
    nodes = {
        (0, number): function(number, block, of_block, args)
        for number, block, of_block in zip(numbers, blocks, weights, strict=True)
    }
    return merged([nodes], n_blocks, add)


def merged(parts, n_blocks, add):
    """The nodes of some parts, where siblings that are all there are replaced by their sum."""
    nodes = {}
    for part in parts:
        nodes.update(part)
    if add is None:
        return nodes
    n_nodes, level = n_blocks, 0
    while n_nodes > FAN_IN:
        parents = {i // FAN_IN for at, i in nodes if at == level}
        for parent in sorted(parents):
            children = [
                (level, i) for i in range(parent * FAN_IN, min((parent + 1) * FAN_IN, n_nodes))
            ]
            if all(child in nodes for child in children):
                values = [nodes.pop(child) for child in children]
                nodes[level + 1, parent] = total(values, add)
        n_nodes, level = -(-n_nodes // FAN_IN), level + 1
    return nodes


def top(nodes, n_blocks):
    """The nodes of the last level, in order: at most `FAN_IN`."""
    n_nodes, level = n_blocks, 0
    while n_nodes > FAN_IN:
        n_nodes, level = -(-n_nodes // FAN_IN), level + 1
    return [nodes[level, i] for i in range(n_nodes)]


def total(values, add):
    """The sum of what is not None, in order; None if there is nothing."""
    values = [value for value in values if value is not None]
    return reduce(add, values) if values else None
