"""Is there a join order much better than the planner's? Forces random orders of TPC-H's joins and times them.
usage: joinorder.py SOCKET_DIR PORT [ORDERS (40) [QUERY …]]      (database `tpch`, loaded by `benches/compare tpch`)
A query's list of tables is written as a tree of CROSS JOINs, which `join_collapse_limit = 1` keeps as it is; trees are left-deep or
bushy, without cross products where the conditions allow. Time is the backend's processor time (better of two for the planner's order).
An order is cut off when it takes as long as the planner's. Prints for each query: planner's ms, best forced ms, ratio, best order."""
import os, random, re, subprocess, sys
from plan import Conn

HERE = os.path.dirname(os.path.abspath(__file__))
FROM_LIST = re.compile(r'\bfrom\s+((?:\w+(?:\s+(?:as\s+)?(?!where\b)\w+)?\s*,\s*)+\w+(?:\s+(?!where\b)\w+)?)\s+where\b(.*)', re.S | re.I)
PREFIX = {'p': 'part', 's': 'supplier', 'ps': 'partsupp', 'n': 'nation', 'r': 'region', 'c': 'customer', 'o': 'orders', 'l': 'lineitem'}


def tables(from_list):
    """The names by which the conditions call the tables of a FROM list, and each table as it is written there."""
    items = [' '.join(i.split()) for i in from_list.split(',')]
    return {i.split()[-1]: i for i in items}


def joined_pairs(names, conditions):
    """Pairs of names that an equality of two columns joins."""
    def owner(column):
        alias, _, col = column.rpartition('.')
        if alias:
            return alias if alias in names else None
        table = PREFIX.get(col.split('_')[0])
        return next((n for n, item in names.items() if item.split()[0] == table), None)
    pairs = set()
    for a, b in re.findall(r'([\w.]+)\s*=\s*([\w.]+)', conditions):
        x, y = owner(a), owner(b)
        if x and y and x != y:
            pairs |= {(x, y), (y, x)}
    return pairs


def random_tree(names, pairs, bushy):
    """A tree of joins as text; two parts are put together when some pair joins them, else (none does) any two."""
    parts = [({n}, item) for n, item in names.items()]
    grown = None if bushy else random.choice(parts)
    while len(parts) > 1:
        fits = [(a, b) for a in parts for b in parts if a is not b and (grown is None or a is grown)
                and any((x, y) in pairs for x in a[0] for y in b[0])]
        if not fits:
            fits = [(a, b) for a in parts for b in parts if a is not b and (grown is None or a is grown)]
        a, b = random.choice(fits)
        both = (a[0] | b[0], f'({a[1]} cross join {b[1]})')
        parts = [p for p in parts if p is not a and p is not b] + [both]
        grown = both if grown is not None else None
    return parts[0][1]


def timed(directory, port, statement, settings=()):
    """Processor milliseconds of one run in a new session; None if it was cut off."""
    conn = Conn(directory, port)
    try:
        conn.run(settings)
        before = conn.cpu()
        conn.run([statement])
        return (conn.cpu() - before) / 1e6
    except RuntimeError as e:
        if 'statement timeout' not in str(e):
            raise
    finally:
        conn.close()


def search(directory, port, name, text, orders):
    parts = [p.strip() for p in text.replace(':sf', '1').split(';') if p.strip()]
    found = FROM_LIST.search(parts[0]) if len(parts) == 1 else None
    if not found or found.group(1).count(',') < 2:
        return
    names = tables(found.group(1))
    pairs = joined_pairs(names, found.group(2))
    planner = min(timed(directory, port, parts[0]) for _ in range(3))
    forced = ['set join_collapse_limit = 1', f'set statement_timeout = {max(int(planner * 1.5), 50)}']
    best, order = planner, "the planner's"
    for tree in {random_tree(names, pairs, n % 2 == 0) for n in range(orders)}:
        ms = timed(directory, port, parts[0][:found.start(1)] + tree + parts[0][found.end(1):], forced)
        if ms is not None and ms < best:
            best, order = ms, tree
    print(f'{name} | {planner:8.0f} | {best:8.0f} | {planner / best:5.2f} | {order}', flush=True)


def main():
    directory, port = sys.argv[1], int(sys.argv[2])
    orders = int(sys.argv[3]) if len(sys.argv) > 3 else 40
    random.seed(1)
    for f in sorted(os.listdir(f'{HERE}/tpch/queries')):
        if not sys.argv[4:] or f[:2] in sys.argv[4:]:
            search(directory, port, f[:2], open(f'{HERE}/tpch/queries/{f}').read(), orders)


main()
